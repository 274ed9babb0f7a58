// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sub0::query {

// DATABASE_URL of MariaDB or MySQL: mysql://USER:PASSWORD@HOST:PORT/NAME, mariadb:// likewise,
// parts percent-encoded; `?socket=PATH` for a server on this machine, `?ssl=required` and
// `?ssl_ca=PATH` for TLS.
struct MysqlAddress {
  std::string user;
  std::string password;
  std::string host;
  std::string database;
  std::string socket;  // empty: TCP
  std::string ssl_ca;  // of the certificate that the server must show
  unsigned port = 3306;
  bool needs_ssl = false;

  // False and the reason, without the password, where the URL is none.
  bool parse(const std::string& url, std::string& error);
};

}  // namespace sub0::query
