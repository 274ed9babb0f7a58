// SPDX-License-Identifier: Apache-2.0
#include "tests/support/mariadb_server.hpp"

#include <mysql/mysql.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/support/server_process.hpp"

namespace sub0::testing {
namespace {

// mariadb-install-db and the server refuse root unless it is named.
void addUser(std::vector<std::string>& command) {
  if (geteuid() == 0) {
    command.emplace_back("--user=root");
  }
}

using Result = std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)>;

}  // namespace

void MariadbSession::Close::operator()(MYSQL* connection) const { mysql_close(connection); }

MariadbSession::MariadbSession(const std::string& socket, const std::string& database)
    : connection_(mysql_init(nullptr)) {
  if (mysql_real_connect(connection_.get(), nullptr, "root", "", database.c_str(), 0,
                         socket.c_str(), CLIENT_MULTI_STATEMENTS) == nullptr) {
    throw std::runtime_error(mysql_error(connection_.get()));
  }
}

std::string MariadbSession::execute(const std::string& sql) {
  std::string found;
  int status = mysql_real_query(connection_.get(), sql.data(), sql.size());
  while (status == 0) {
    const Result result(mysql_store_result(connection_.get()), &mysql_free_result);
    const MYSQL_ROW row = result == nullptr ? nullptr : mysql_fetch_row(result.get());
    found = row == nullptr || row[0] == nullptr ? "" : row[0];
    status = mysql_next_result(connection_.get());
  }
  if (status > 0) {
    throw std::runtime_error(sql + ": " + mysql_error(connection_.get()));
  }
  return found;
}

MariadbServer::MariadbServer() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sub0-maria-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  makeData();
  start();
  execute(
      "CREATE DATABASE app CHARACTER SET latin1; CREATE USER tests IDENTIFIED BY 'tests'; GRANT "
      "ALL ON *.* TO tests",
      "");
}

MariadbServer::~MariadbServer() {
  if (server_ > 0) {
    kill(server_, SIGKILL);
    waitpid(server_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void MariadbServer::makeData() {
  makeDataIn(folder_, SUB0_MARIADB_TEMPLATE, [this] {
    std::vector<std::string> command = {"/usr/bin/env",
                                        "TMPDIR=" + folder_,
                                        "/usr/bin/mariadb-install-db",
                                        "--no-defaults",
                                        "--datadir=" + folder_ + "/data",
                                        "--skip-test-db",
                                        "--skip-name-resolve",
                                        "--auth-root-authentication-method=normal",
                                        "--innodb-log-file-size=8M"};
    addUser(command);
    return spawnIn(folder_, command, SIGKILL);
  });
}

void MariadbServer::start() {
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = freePort();
    // A server that starts deletes what it takes for its own temporary tables.
    std::vector<std::string> command = {"/usr/sbin/mariadbd",
                                        "--no-defaults",
                                        "--tmpdir=" + folder_,
                                        "--datadir=" + folder_ + "/data",
                                        "--socket=" + folder_ + "/socket",
                                        "--port=" + std::to_string(port_),
                                        "--bind-address=127.0.0.1",
                                        "--skip-name-resolve",
                                        "--innodb-log-file-size=8M",
                                        "--innodb-buffer-pool-size=16M",
                                        "--innodb-flush-log-at-trx-commit=0",
                                        "--innodb-use-native-aio=0",
                                        "--performance-schema=off"};
    addUser(command);
    server_ = spawnIn(folder_, command, SIGKILL);
    for (int look = 0; look < 1500; ++look) {
      if (waitpid(server_, nullptr, WNOHANG) == server_) {  // the port was taken meanwhile
        server_ = -1;
        break;
      }
      try {
        session("");
        return;
      } catch (const std::runtime_error&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
  }
  throw std::runtime_error("MariaDB does not start: " + logIn(folder_));
}

std::string MariadbServer::url() const {
  return "mariadb://tests:tests@127.0.0.1:" + std::to_string(port_) + "/app";
}

MariadbSession MariadbServer::session(const std::string& database) const {
  return {folder_ + "/socket", database};
}

std::string MariadbServer::execute(const std::string& sql, const std::string& database) const {
  return session(database).execute(sql);
}

}  // namespace sub0::testing
