// SPDX-License-Identifier: Apache-2.0
#include "net/http/cors.hpp"

#include <gtest/gtest.h>

namespace sub0::net::http {
namespace {

CorsPolicy policyOf(std::string_view list) {
  auto policy = CorsPolicy::parse(list);
  EXPECT_TRUE(policy) << list;
  return policy ? *policy : CorsPolicy();
}

std::string headersFor(std::string_view list, std::optional<std::string_view> origin) {
  std::string out;
  policyOf(list).appendHeaders(out, origin);
  return out;
}

TEST(CorsPolicy, WithoutAListEveryOriginMayCall) {
  // spec S-54
  for (const char* list : {"", " ", "*", "https://a.example|*", "|,"}) {
    EXPECT_TRUE(policyOf(list).allows("https://anything.example")) << list;
    EXPECT_TRUE(policyOf(list).allows("null")) << list;
    EXPECT_EQ(headersFor(list, "https://x.example"), "Access-Control-Allow-Origin: *\r\n");
    EXPECT_EQ(headersFor(list, std::nullopt), "Access-Control-Allow-Origin: *\r\n");
  }
}

TEST(CorsPolicy, OriginsOfTheListMayCall) {
  // spec S-54
  const char* list = "https://good.example|http://Local.example:3000 , bare.example,[::1]:8080/";
  const CorsPolicy policy = policyOf(list);
  for (const char* origin : {"https://good.example", "HTTPS://GOOD.example",
                             "https://good.example:443", "http://local.example:3000",
                             "http://bare.example", "https://bare.example", "http://[::1]:8080"}) {
    EXPECT_TRUE(policy.allows(origin)) << origin;
  }
  EXPECT_TRUE(policy.allows(std::nullopt));
}

TEST(CorsPolicy, ADefaultPortMayBeWrittenWithoutAScheme) {
  // spec S-54
  const CorsPolicy policy = policyOf("secure.example:443, plain.example:80");
  for (const char* origin : {"https://secure.example", "https://secure.example:443",
                             "http://secure.example:443", "http://plain.example"}) {
    EXPECT_TRUE(policy.allows(origin)) << origin;
  }
  for (const char* origin : {"http://secure.example", "https://plain.example"}) {
    EXPECT_FALSE(policy.allows(origin)) << origin;
  }
}

TEST(CorsPolicy, OtherOriginsMayNot) {
  // Q-17
  const CorsPolicy policy = policyOf("https://good.example, bare.example:3000");
  for (const char* origin :
       {"null", "", "https://good.example.evil.com", "https://evil.com/https://good.example",
        "https://evil-good.example", "https://xgood.example", "http://good.example",
        "https://good.example:8443", "https://good.example@evil.com", "https://good.example/",
        "good.example", "bare.example:3000", "https://bare.example", "ftp://bare.example:3000",
        "https://good.example https://evil.com", "https://good.example#", "file://", "://"}) {
    EXPECT_FALSE(policy.allows(origin)) << origin;
  }
}

TEST(CorsPolicy, RepliesNameTheOriginTheyAreFor) {
  // spec S-54
  EXPECT_EQ(headersFor("https://good.example", "https://good.example"),
            "Access-Control-Allow-Origin: https://good.example\r\nVary: Origin\r\n");
  EXPECT_EQ(headersFor("https://good.example", "https://evil.com"), "Vary: Origin\r\n");
  EXPECT_EQ(headersFor("https://good.example", std::nullopt), "Vary: Origin\r\n");
}

TEST(CorsPolicy, PreflightEchoesTheRequestedNames) {
  // spec S-54
  std::string out;
  policyOf("*").appendPreflightHeaders(out, "https://x.example",
                                       "x-access-token,content-type, b\x01\x64, ,a:b",
                                       "GET, POST, OPTIONS");
  EXPECT_EQ(out,
            "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: GET, POST, OPTIONS\r\n"
            "Access-Control-Allow-Headers: x-access-token, content-type\r\n"
            "Access-Control-Max-Age: 600\r\n");
  out.clear();
  policyOf("a.example").appendPreflightHeaders(out, "https://evil.com", "x", "GET");
  EXPECT_EQ(out, "Vary: Origin\r\n");
}

TEST(CorsPolicy, EntriesThatAreNoOriginsAreNamed) {
  for (const char* list :
       {"https://a.example/path", "https://", "a b", "https://a:1:2", "a?b", "https://u@a.example",
        "https:a.example", "a:b", "a:", "[::1]:x", "null", "https://a.example|null"}) {
    const auto policy = CorsPolicy::parse(list);
    ASSERT_FALSE(policy) << list;
    EXPECT_EQ(policy.error().code, Code::kBadRequest);
  }
}

}  // namespace
}  // namespace sub0::net::http
