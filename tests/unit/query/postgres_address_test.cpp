// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <thread>

#include "postgres/postgres_resolver.hpp"
#include "tests/unit/query/postgres_fixture.hpp"

namespace {

std::atomic<std::thread::id> loop_thread;
std::atomic<int> names_on_loop{0}, names_elsewhere{0};

}  // namespace

// libpq and the plugin meet this one first: who asks for a name, and on which thread?
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* node,
                                                                  const char* service,
                                                                  const addrinfo* hints,
                                                                  addrinfo** found) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node != nullptr && (hints == nullptr || (hints->ai_flags & AI_NUMERICHOST) == 0)) {
    ++(std::this_thread::get_id() == loop_thread.load() ? names_on_loop : names_elsewhere);
  }
  return real(node, service, hints, found);
}

namespace sub0::query {
namespace {

PostgresAddress addressOf(const std::string& url) {
  PostgresAddress address;
  std::string error;
  EXPECT_TRUE(address.parse(url, false, error)) << error;
  return address;
}

TEST(PostgresAddress, WhatTheUrlSetsIsKept) {
  PostgresAddress address =
      addressOf("postgres://me@h/db?options=-c%20search_path%3Dmine&application_name=app");
  address.addOptions("-c lock_timeout=50");
  EXPECT_EQ(address.valueOf("options").find("-c search_path=mine "), 0U);
  EXPECT_NE(address.valueOf("options").find("TimeZone=UTC"), std::string::npos);
  EXPECT_NE(address.valueOf("options").find("lock_timeout=50"), std::string::npos);
  EXPECT_EQ(address.valueOf("application_name"), "app");
  EXPECT_TRUE(address.sessionStatements().empty());
}

TEST(PostgresAddress, APoolerGetsNoOptions) {
  PostgresAddress address;
  std::string error;
  ASSERT_TRUE(address.parse("postgres://me@h/db", true, error));
  EXPECT_EQ(address.valueOf("options"), "");
  EXPECT_FALSE(address.sessionStatements().empty());
}

std::string refusalOf(const std::string& url) {
  PostgresAddress address;
  std::string error;
  EXPECT_FALSE(address.parse(url, false, error)) << url;
  return error;
}

// spec S-14: what the URLs of other programs hold
TEST(PostgresAddress, AParameterThatIsNoneIsNamed) {
  const auto names = [](const std::string& query, const std::string& part) {
    const std::string error = refusalOf("postgres://me:hidden@h/db" + query);
    EXPECT_NE(error.find(part), std::string::npos) << error;
    EXPECT_EQ(error.find("hidden"), std::string::npos) << error;
  };
  names("?schema=public", "'schema'; write options=-c%20search_path%3DSCHEMA");
  names("?sslmode=disable&pgbouncer=true", "'pgbouncer'; leave it out and set SUB0_POSTGRES_NAMED");
  names("?connection_limit=1&schema=x", "'connection_limit'; leave it out");
  names("?colour=red", "'colour'; leave it out");
  names("?colour", "write postgres://USER");
}

// Q-89
TEST(PostgresAddress, APasswordThatIsNotEncodedIsToldAndNotShown) {
  for (const char* url :
       {"postgres://u:hid@den@h/db", "postgres://u:hid/den@h/db", "postgres://u:hid%zden@h/db",
        "postgres://u:hid/x?den=1@h/db", "postgres://u:hid@x?den=1@h/db",
        "postgres://u:hid/x?den@h/db", "postgres://u@hid:den@h/db"}) {
    const std::string error = refusalOf(url);
    EXPECT_NE(error.find("%40 for an @"), std::string::npos) << error;
    EXPECT_EQ(error.find("hid"), std::string::npos) << error;
    EXPECT_EQ(error.find("den"), std::string::npos) << error;
  }
  EXPECT_EQ(addressOf("postgres://u:a%40b%2Fc@h/db").valueOf("password"), "a@b/c");
  EXPECT_EQ(addressOf("postgres://u:a?b=c#d:e@h/db").valueOf("password"), "a?b=c#d:e");
  EXPECT_EQ(addressOf("postgres://h/db?user=a@b").valueOf("user"), "a@b");
  EXPECT_EQ(addressOf("postgres:///db?host=/run/pg").valueOf("host"), "/run/pg");
}

TEST(PostgresResolver, NamesGetAddressesBesideThem) {
  EXPECT_TRUE(PostgresResolver::needsResolving(addressOf("postgres://localhost/db")));
  EXPECT_FALSE(PostgresResolver::needsResolving(addressOf("postgres://127.0.0.1/db")));
  EXPECT_FALSE(PostgresResolver::needsResolving(addressOf("postgres://[::1]/db")));
  EXPECT_FALSE(PostgresResolver::needsResolving(addressOf("postgres://%2Ftmp/db")));
  EXPECT_FALSE(PostgresResolver::needsResolving(addressOf("postgres:///db")));
  EXPECT_FALSE(
      PostgresResolver::needsResolving(addressOf("postgres://localhost/db?hostaddr=127.0.0.1")));

  PostgresAddress address = addressOf("postgres://10.1.2.3:1,%2Ftmp:2,ip6-localhost.invalid:3/db");
  EXPECT_TRUE(resolveNames(address));
  EXPECT_EQ(address.valueOf("host"), "10.1.2.3,/tmp");
  EXPECT_EQ(address.valueOf("hostaddr"), "10.1.2.3,");
  EXPECT_EQ(address.valueOf("port"), "1,2");

  PostgresAddress named = addressOf("postgres://localhost/db");
  EXPECT_TRUE(resolveNames(named));
  EXPECT_EQ(named.valueOf("host").find("localhost"), 0U);
  EXPECT_NE(named.valueOf("hostaddr").find("1"), std::string::npos);
  EXPECT_EQ(named.valueOf("port"), "");

  PostgresAddress none = addressOf("postgres://nowhere.invalid/db");
  EXPECT_FALSE(resolveNames(none));
}

TEST(PostgresAddress, AnotherHostComesFirst) {
  PostgresAddress address = addressOf("postgres://a:1,b:2,c:3/db?hostaddr=10.0.0.1,,10.0.0.3");
  EXPECT_EQ(rotateHosts(address, 3).valueOf("host"), "a,b,c");
  address = rotateHosts(address, 4);
  EXPECT_EQ(address.valueOf("host"), "b,c,a");
  EXPECT_EQ(address.valueOf("hostaddr"), ",10.0.0.3,10.0.0.1");
  EXPECT_EQ(address.valueOf("port"), "2,3,1");
  EXPECT_EQ(rotateHosts(addressOf("postgres:///db?host=a,b&port=1"), 1).valueOf("port"), "1");
  EXPECT_EQ(rotateHosts(addressOf("postgres://a/db"), 1).valueOf("host"), "a");
}

class PostgresNamesTest : public PostgresTest {
 protected:
  std::unique_ptr<LoopHost> makeHost(std::int64_t) override {
    const std::string url =
        "postgres://postgres@" + name_ + ":" + std::to_string(cluster().port()) + "/postgres";
    return std::make_unique<LoopHost>(sub0_plugin_v0(), Tree{{"DATABASE_URL", url}});
  }
  std::string name_ = "localhost";
};

TEST_F(PostgresNamesTest, NoLoopAsksForAName) {
  loop_thread = std::this_thread::get_id();
  names_on_loop = names_elsewhere = 0;
  EXPECT_TRUE(becomesReady());
  EXPECT_EQ(query("SELECT 1 AS a"), R"({"a":1})");
  EXPECT_EQ(names_on_loop, 0);
  EXPECT_GT(names_elsewhere, 0);
}

TEST_F(PostgresNamesTest, ANameWithoutAnAddressIsTold) {
  name_ = "nowhere.invalid";
  startedHost();
  EXPECT_TRUE(host().turnUntil([&] { return host().hasLogged("nowhere.invalid"); }));
  EXPECT_EQ(end("SELECT 1 AS a").code, SUB0_UNAVAILABLE);
}

}  // namespace
}  // namespace sub0::query
