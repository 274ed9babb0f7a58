// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_address.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

namespace sub0::query {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

constexpr const char* kForm = "write postgres://USER:PASSWORD@HOST:PORT/NAME";
constexpr const char* kEncoding =
    ", with %40 for an @ in the user, password or name, %2F for /, %3A for :, %23 for #, %3F for ? "
    "and %25 for %";

// What other programs write, and what to do about it.
struct Foreign {
  std::string_view key;
  const char* instead;
};
constexpr std::array<Foreign, 5> kForeign = {
    Foreign{"schema", "write options=-c%20search_path%3DSCHEMA"},
    Foreign{"pgbouncer", "leave it out and set SUB0_POSTGRES_NAMED_STATEMENTS=false"},
    Foreign{"connection_limit",
            "leave it out; SUB0_LOOPS and SUB0_POSTGRES_EXCLUSIVE_CONNECTIONS decide how many "
            "connections there are"},
    Foreign{"pool_timeout", "leave it out and set SUB0_POSTGRES_EXCLUSIVE_WAIT_MS"},
    Foreign{"ssl", "write sslmode=require"}};

bool isKeyword(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// The first parameter of the URL that libpq does not know; empty: there is none.
std::string unknownParameter(std::string_view query) {
  const Options known(PQconndefaults(), &PQconninfoFree);
  while (known != nullptr && !query.empty()) {
    const std::string_view each = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), each.size() + 1));
    const std::size_t equals = each.find('=');
    if (equals == std::string_view::npos || !isKeyword(each.substr(0, equals))) {
      continue;  // libpq says so
    }
    bool is_known = false;
    for (const PQconninfoOption* at = known.get(); at->keyword != nullptr; ++at) {
      is_known = is_known || each.substr(0, equals) == at->keyword;
    }
    if (!is_known) {
      return std::string(each.substr(0, equals));
    }
  }
  return {};
}

// What is wrong with a URL, told without any part of it that may belong to the password; empty:
// nothing that can be seen before libpq looks at it.
std::string faultOf(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    return {};
  }
  const std::string encode = std::string(kForm) + kEncoding;
  // To libpq user and password end at the first @, if no / comes before it.
  const std::string_view rest = url.substr(scheme + 3);
  const std::size_t end = rest.find_first_of("@/");
  const bool has_user = end != std::string_view::npos && rest[end] == '@';
  const std::string_view address = has_user ? rest.substr(end + 1) : rest;
  const std::size_t mark = address.find('?');
  if (address.substr(0, mark).find('@') != std::string_view::npos) {
    return "DATABASE_URL: an @ or / ends the user and password too early; " + encode;
  }
  const std::string_view query =
      mark == std::string_view::npos ? std::string_view() : address.substr(mark + 1);
  const std::string key = unknownParameter(query);
  if (key.empty()) {
    return {};
  }
  if (query.find('@') != std::string_view::npos) {
    return "DATABASE_URL: a ? or / ends the user and password too early; " + encode;
  }
  const auto* const found = std::find_if(kForeign.begin(), kForeign.end(),
                                         [&](const Foreign& each) { return each.key == key; });
  return "DATABASE_URL: PostgreSQL knows no parameter '" + key + "'; " +
         (found == kForeign.end() ? "leave it out" : found->instead);
}

// libpq would write warnings and what a function raises to stderr, which is the host's log.
void ignoreNotice(void*, const PGresult*) {}

}  // namespace

bool PostgresAddress::parse(const std::string& url, bool has_pooler, std::string& error) {
  error = faultOf(url);
  if (!error.empty()) {
    return false;
  }
  char* message = nullptr;
  const Options options(PQconninfoParse(url.c_str(), &message), &PQconninfoFree);
  if (options == nullptr) {  // libpq's text may show the password
    error = std::string("DATABASE_URL is no URL of PostgreSQL; ") + kForm + kEncoding;
    PQfreemem(message);
    return false;
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      keywords_.emplace_back(option->keyword);
      values_.emplace_back(option->val);
    }
  }
  if (has_pooler) {
    session_statements_ = {"SET TimeZone TO 'UTC'", "SET DateStyle TO 'ISO'"};
  } else {
    addOptions(
        "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1 "
        "-c bytea_output=hex -c standard_conforming_strings=on");
  }
  set("client_encoding", "UTF8");
  set("fallback_application_name", "sub0", false);
  set("connect_timeout", "5", false);
  set("keepalives_idle", "30", false);
  set("keepalives_interval", "5", false);
  set("keepalives_count", "3", false);
  set("tcp_user_timeout", "20000", false);
  set("gssencmode", "disable", false);  // PostgresLink moves bytes in the clear or over TLS
  return true;
}

void PostgresAddress::addOptions(const std::string& options) {
  const std::string before = valueOf("options");
  set("options", before.empty() ? options : before + " " + options);
}

std::string PostgresAddress::valueOf(const std::string& keyword) const {
  for (std::size_t i = 0; i < keywords_.size(); ++i) {
    if (keywords_[i] == keyword) {
      return values_[i];
    }
  }
  return {};
}

void PostgresAddress::set(const std::string& keyword, const std::string& value, bool replaces) {
  for (std::size_t i = 0; i < keywords_.size(); ++i) {
    if (keywords_[i] == keyword) {
      values_[i] = replaces ? value : values_[i];
      return;
    }
  }
  keywords_.push_back(keyword);
  values_.push_back(value);
}

std::vector<const char*> PostgresAddress::pointers(const std::vector<std::string>& texts) const {
  std::vector<const char*> list;
  for (const std::string& text : texts) {
    list.push_back(text.c_str());
  }
  list.push_back(nullptr);
  return list;
}

PGconn* PostgresAddress::connectStart() const {
  PGconn* const connection =
      PQconnectStartParams(pointers(keywords_).data(), pointers(values_).data(), 0);
  PQsetNoticeReceiver(connection, &ignoreNotice, nullptr);
  return connection;
}

PGconn* PostgresAddress::connect() const {
  PGconn* const connection =
      PQconnectdbParams(pointers(keywords_).data(), pointers(values_).data(), 0);
  PQsetNoticeReceiver(connection, &ignoreNotice, nullptr);
  return connection;
}

}  // namespace sub0::query
