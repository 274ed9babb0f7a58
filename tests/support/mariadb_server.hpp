// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

struct st_mysql;

namespace sub0::testing {

// Somebody's session with a server. Errors throw.
class MariadbSession {
 public:
  MariadbSession(const std::string& socket, const std::string& database);
  // Several statements are fine; the first column of the first row of the last result, or "".
  std::string execute(const std::string& sql);

 private:
  struct Close {
    void operator()(st_mysql* connection) const;
  };
  std::unique_ptr<st_mysql, Close> connection_;
};

// A MariaDB server of the test's own: Debian's programs, data in a temporary folder, a free port on
// 127.0.0.1, a database `app`. It ends with the test, also when that crashes (the kernel kills it).
// Errors throw std::runtime_error with the server's log. One thread.
class MariadbServer {
 public:
  MariadbServer();  // starts; mariadb-install-db has run once per build folder
  ~MariadbServer();
  MariadbServer(const MariadbServer&) = delete;
  MariadbServer& operator=(const MariadbServer&) = delete;

  // mariadb://tests:tests@127.0.0.1:PORT/app
  std::string url() const;
  // Of root.
  MariadbSession session(const std::string& database = "app") const;
  std::string execute(const std::string& sql, const std::string& database = "app") const;

 private:
  void makeData();
  void start();

  std::string folder_;
  int port_ = 0;
  pid_t server_ = -1;
};

}  // namespace sub0::testing
