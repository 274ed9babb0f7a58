// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres_cluster.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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
  const passwd* user = geteuid() == 0 ? getpwnam("postgres") : nullptr;
  if (user != nullptr && chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error("cannot give " + folder_ + " to postgres");
  }
  makeData();
  start();
}

// A copy of the cluster that the first test of the build folder has initialised; the others wait
// for it. What a test that was killed leaves half done lies beside the template.
void PostgresCluster::makeData() {
  namespace fs = std::filesystem;
  const std::string data = folder_ + "/data";
  const std::string version = fs::path(programs_).parent_path().filename().string();
  const std::string kept = std::string(SUB0_CLUSTER_TEMPLATE) + "-" + version;
  fs::create_directories(fs::path(kept).parent_path());
  const int lock = open((kept + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) {
    throw std::runtime_error("cannot lock " + kept);
  }
  if (!fs::exists(kept)) {
    const pid_t initialiser =
        spawn({programs_ + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
               "--locale=C.UTF-8", "--no-sync", "--no-instructions"});
    int status = 0;
    if (waitpid(initialiser, &status, 0) < 0 || status != 0) {
      throw std::runtime_error("initdb failed: " + logText());
    }
    fs::remove_all(kept + ".part");
    fs::copy(data, kept + ".part", fs::copy_options::recursive);
    fs::rename(kept + ".part", kept);
  }
  close(lock);
  if (fs::exists(data)) {
    return;
  }
  fs::copy(kept, data, fs::copy_options::recursive);
  fs::permissions(data, fs::perms::owner_all);
  const passwd* user = geteuid() == 0 ? getpwnam("postgres") : nullptr;
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

pid_t PostgresCluster::spawn(const std::vector<std::string>& command) const {
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  const passwd* user = geteuid() == 0 ? getpwnam("postgres") : nullptr;
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) {
    return child;
  }
  if (user != nullptr && (initgroups("postgres", user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
                          setuid(user->pw_uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  const int log = open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(log, 1);
  dup2(log, 2);
  if (getppid() != parent || chdir(folder_.c_str()) != 0) {
    _exit(126);
  }
  execv(arguments[0], arguments.data());
  _exit(127);
}

std::string PostgresCluster::logText() const {
  std::ifstream file(folder_ + "/log");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void PostgresCluster::start() {
  if (isRunning()) {
    return;
  }
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (port_ == 0) {
      port_ = freePort();
    }
    server_ =
        spawn({programs_ + "/postgres", "-D", folder_ + "/data", "-F", "-p", std::to_string(port_),
               "-k", folder_, "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB", "-c",
               "max_connections=40", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"});
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
  throw std::runtime_error("PostgreSQL does not start: " + logText());
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
