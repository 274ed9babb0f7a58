// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <string>
#include <vector>

namespace sub0::query {

// DATABASE_URL as libpq's keywords, with the session that this plugin relies on: UTF-8, UTC, ISO
// dates, all digits of floats, and a bound on how long a peer that vanished goes unnoticed. What
// the URL sets besides is kept. Where a pooler stands between (PgBouncer), which refuses the
// session at the start, statements set what it follows. A copy with other hosts or settings is
// another address; each is immutable while it is used.
class PostgresAddress {
 public:
  // False and the reason (without the password) where the URL is none.
  bool parse(const std::string& url, bool has_pooler, std::string& error);
  // Further settings of the session: "-c name=value ...".
  void addOptions(const std::string& options);
  // Statements that a new session, or one that was reset, needs.
  const std::vector<std::string>& sessionStatements() const { return session_statements_; }

  // The value of a keyword; empty: it has none.
  std::string valueOf(const std::string& keyword) const;
  void set(const std::string& keyword, const std::string& value, bool replaces = true);

  PGconn* connectStart() const;  // non-blocking, but for the resolution of a host's name
  PGconn* connect() const;       // blocking

 private:
  std::vector<const char*> pointers(const std::vector<std::string>& texts) const;

  std::vector<std::string> keywords_;
  std::vector<std::string> values_;
  std::vector<std::string> session_statements_;
};

}  // namespace sub0::query
