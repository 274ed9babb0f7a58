// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres_cluster.hpp"

#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/support/server_process.hpp"

namespace sub0::testing {
namespace {

// Who the server runs as, since it refuses root; null: who we are.
const passwd* serverUser() { return geteuid() == 0 ? getpwnam("postgres") : nullptr; }

std::string newestPrograms() {
  std::string newest;
  const std::filesystem::path root("/usr/lib/postgresql");
  if (std::filesystem::exists(root)) {
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
      newest = std::max(newest, (entry.path() / "bin").string());
    }
  }
  if (newest.empty()) {
    throw std::runtime_error("no PostgreSQL server below /usr/lib/postgresql");
  }
  return newest;
}

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

}  // namespace

PostgresCluster::PostgresCluster() : programs_(newestPrograms()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sub0-pg-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  const passwd* user = serverUser();
  if (user != nullptr && chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error("cannot give " + folder_ + " to postgres");
  }
  makeData();
  start();
}

void PostgresCluster::makeData() {
  namespace fs = std::filesystem;
  const std::string data = folder_ + "/data";
  const std::string version = fs::path(programs_).parent_path().filename().string();
  const bool is_copy = makeDataIn(folder_, std::string(SUB0_CLUSTER_TEMPLATE) + "-" + version, [&] {
    return spawnIn(folder_,
                   {programs_ + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E",
                    "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"},
                   SIGQUIT, serverUser());
  });
  if (!is_copy) {
    return;
  }
  fs::permissions(data, fs::perms::owner_all);
  const passwd* user = serverUser();
  bool is_given = user == nullptr || chown(data.c_str(), user->pw_uid, user->pw_gid) == 0;
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    is_given = is_given &&
               (user == nullptr || chown(entry.path().c_str(), user->pw_uid, user->pw_gid) == 0);
  }
  if (!is_given) {
    throw std::runtime_error("cannot give " + data + " to postgres");
  }
}

PostgresCluster::~PostgresCluster() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void PostgresCluster::start() {
  if (isRunning()) {
    return;
  }
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (port_ == 0) {
      port_ = freePort();
    }
    server_ = spawnIn(
        folder_,
        {programs_ + "/postgres", "-D", folder_ + "/data", "-F", "-p", std::to_string(port_), "-k",
         folder_, "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB", "-c",
         "max_connections=40", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"},
        SIGQUIT, serverUser());
    for (int look = 0; look < 1000; ++look) {
      int status = 0;
      if (waitpid(server_, &status, WNOHANG) == server_) {  // the port was taken meanwhile
        server_ = -1;
        port_ = 0;
        break;
      }
      if (PQping(socketUrl().c_str()) == PQPING_OK) {
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    stop();
  }
  throw std::runtime_error("PostgreSQL does not start: " + logIn(folder_));
}

void PostgresCluster::stop() {
  if (server_ > 0) {
    kill(server_, SIGQUIT);
    waitpid(server_, nullptr, 0);
    server_ = -1;
  }
}

std::string PostgresCluster::url() const {
  return "postgres://postgres@127.0.0.1:" + std::to_string(port_) + "/postgres";
}

std::string PostgresCluster::socketUrl() const {
  std::string host;
  for (const char c : folder_) {
    host += c == '/' ? std::string("%2F") : std::string(1, c);
  }
  return "postgres://postgres@" + host + ":" + std::to_string(port_) + "/postgres";
}

std::string PostgresCluster::execute(const std::string& sql) const {
  const Connection connection(PQconnectdb(socketUrl().c_str()), &PQfinish);
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  const Result result(PQexec(connection.get(), sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(sql + ": " + PQerrorMessage(connection.get()));
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

int PostgresCluster::killBackends() const {
  return std::stoi(
      execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
              "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"));
}

}  // namespace sub0::testing
