// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_address.hpp"

namespace sub0::query {
namespace {

// libpq would write warnings and what a function raises to stderr, which is the host's log.
void ignoreNotice(void*, const PGresult*) {}

}  // namespace

bool PostgresAddress::parse(const std::string& url, bool has_pooler, std::string& error) {
  char* message = nullptr;
  PQconninfoOption* options = PQconninfoParse(url.c_str(), &message);
  if (options == nullptr) {
    error = "DATABASE_URL is no URL of PostgreSQL";  // libpq's text may show the password
    PQfreemem(message);
    return false;
  }
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      keywords_.emplace_back(option->keyword);
      values_.emplace_back(option->val);
    }
  }
  PQconninfoFree(options);
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
