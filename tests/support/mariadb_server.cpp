// SPDX-License-Identifier: Apache-2.0
#include "tests/support/mariadb_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <mysql/mysql.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <thread>

namespace sub0::testing {
namespace {

int freePort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(descriptor, generic, size) != 0 || getsockname(descriptor, generic, &size) != 0) {
    throw std::runtime_error("no free port");
  }
  close(descriptor);
  return ntohs(address.sin_port);
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

// A copy of the data that the first test of the build folder has made; the others wait for it.
void MariadbServer::makeData() {
  namespace fs = std::filesystem;
  const std::string data = folder_ + "/data";
  const std::string kept = SUB0_MARIADB_TEMPLATE;
  fs::create_directories(fs::path(kept).parent_path());
  const int lock = open((kept + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) {
    throw std::runtime_error("cannot lock " + kept);
  }
  if (!fs::exists(kept)) {
    const pid_t maker =
        spawn({"/usr/bin/env", "TMPDIR=" + folder_, "/usr/bin/mariadb-install-db", "--no-defaults",
               "--datadir=" + data, "--skip-test-db", "--skip-name-resolve",
               "--auth-root-authentication-method=normal", "--innodb-log-file-size=8M",
               "--user=" + std::string(geteuid() == 0 ? "root" : "")});
    int status = 0;
    if (waitpid(maker, &status, 0) < 0 || status != 0) {
      throw std::runtime_error("mariadb-install-db failed: " + logText());
    }
    fs::remove_all(kept + ".part");
    fs::copy(data, kept + ".part", fs::copy_options::recursive);
    fs::rename(kept + ".part", kept);
  }
  close(lock);
  if (!fs::exists(data)) {
    fs::copy(kept, data, fs::copy_options::recursive);
  }
}

pid_t MariadbServer::spawn(const std::vector<std::string>& command) const {
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    if (word != "--user=") {
      arguments.push_back(const_cast<char*>(word.c_str()));
    }
  }
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) {
    return child;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int log = open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(log, 1);
  dup2(log, 2);
  if (getppid() != parent || chdir(folder_.c_str()) != 0) {
    _exit(126);
  }
  execv(arguments[0], arguments.data());
  _exit(127);
}

std::string MariadbServer::logText() const {
  std::ifstream file(folder_ + "/log");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void MariadbServer::start() {
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = freePort();
    // A server that starts deletes what it takes for its own temporary tables.
    server_ =
        spawn({"/usr/sbin/mariadbd", "--no-defaults", "--tmpdir=" + folder_,
               "--datadir=" + folder_ + "/data", "--socket=" + folder_ + "/socket",
               "--port=" + std::to_string(port_), "--bind-address=127.0.0.1", "--skip-name-resolve",
               "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M",
               "--innodb-flush-log-at-trx-commit=0", "--innodb-use-native-aio=0",
               "--performance-schema=off", "--user=" + std::string(geteuid() == 0 ? "root" : "")});
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
  throw std::runtime_error("MariaDB does not start: " + logText());
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
