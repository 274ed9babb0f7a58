// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <string>
#include <vector>

namespace sub0::query {

// DATABASE_URL as libpq's keywords, with the session that this plugin relies on: UTF-8, UTC, ISO
// dates, all digits of floats, and a bound on how long a peer that vanished goes unnoticed. What
// the URL sets besides is kept. Immutable.
class PostgresAddress {
 public:
  // False and the reason (without the password) where the URL is none.
  bool parse(const std::string& url, std::string& error);

  PGconn* connectStart() const;  // non-blocking, but for the resolution of a host's name
  PGconn* connect() const;       // blocking

 private:
  void set(const std::string& keyword, const std::string& value, bool replaces);
  std::vector<const char*> pointers(const std::vector<std::string>& texts) const;

  std::vector<std::string> keywords_;
  std::vector<std::string> values_;
};

}  // namespace sub0::query
