// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

namespace sub0::testing {

// A PostgreSQL server of the test's own: Debian's programs, a cluster in a temporary folder, a free
// port on 127.0.0.1, no fsync; as user `postgres` where the test is root, since the server refuses
// root. It ends with the test, also when that crashes (the kernel sends it SIGQUIT). Errors throw
// std::runtime_error with the server's log. One thread.
class PostgresCluster {
 public:
  PostgresCluster();  // starts; initdb has run once per build folder
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  void start();  // on the same port
  void stop();   // at once, connections are cut
  bool isRunning() const { return server_ > 0; }

  // postgres://postgres@127.0.0.1:PORT/postgres
  std::string url() const;
  // The same by the unix socket.
  std::string socketUrl() const;
  int port() const { return port_; }

  // Runs SQL (several statements are fine); the first column of the first row, or "".
  std::string execute(const std::string& sql) const;
  // Terminates every other connection's server process; how many there were.
  int killBackends() const;

 private:
  void makeData();

  std::string folder_;
  std::string programs_;
  int port_ = 0;
  pid_t server_ = -1;
};

}  // namespace sub0::testing
