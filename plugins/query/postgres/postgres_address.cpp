// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_address.hpp"

namespace sub0::query {

bool PostgresAddress::parse(const std::string& url, std::string& error) {
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
  std::string session;
  for (std::size_t i = 0; i < keywords_.size(); ++i) {
    if (keywords_[i] == "options") {
      session = values_[i] + " ";
    }
  }
  session +=
      "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1 "
      "-c bytea_output=hex -c standard_conforming_strings=on";
  set("options", session, true);
  set("client_encoding", "UTF8", true);
  set("fallback_application_name", "sub0", false);
  set("connect_timeout", "5", false);
  set("keepalives_idle", "30", false);
  set("keepalives_interval", "5", false);
  set("keepalives_count", "3", false);
  set("tcp_user_timeout", "20000", false);
  return true;
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
  return PQconnectStartParams(pointers(keywords_).data(), pointers(values_).data(), 0);
}

PGconn* PostgresAddress::connect() const {
  return PQconnectdbParams(pointers(keywords_).data(), pointers(values_).data(), 0);
}

}  // namespace sub0::query
