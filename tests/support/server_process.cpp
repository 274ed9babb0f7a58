// SPDX-License-Identifier: Apache-2.0
#include "tests/support/server_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace sub0::testing {

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

pid_t spawnIn(const std::string& folder, const std::vector<std::string>& command, int signal_at_end,
              const passwd* user) {
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) {
    return child;
  }
  if (user != nullptr && (initgroups(user->pw_name, user->pw_gid) != 0 ||
                          setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, signal_at_end);
  const int log = open((folder + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(log, 1);
  dup2(log, 2);
  if (getppid() != parent || chdir(folder.c_str()) != 0) {
    _exit(126);
  }
  execv(arguments[0], arguments.data());
  _exit(127);
}

std::string logIn(const std::string& folder) {
  std::ifstream file(folder + "/log");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool makeDataIn(const std::string& folder, const std::string& kept,
                const std::function<pid_t()>& initialise) {
  namespace fs = std::filesystem;
  const std::string data = folder + "/data";
  fs::create_directories(fs::path(kept).parent_path());
  const int lock = open((kept + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) {
    throw std::runtime_error("cannot lock " + kept);
  }
  if (!fs::exists(kept)) {
    int status = 0;
    if (waitpid(initialise(), &status, 0) < 0 || status != 0) {
      throw std::runtime_error("no data for the server can be made: " + logIn(folder));
    }
    fs::remove_all(kept + ".part");
    fs::copy(data, kept + ".part", fs::copy_options::recursive);
    fs::rename(kept + ".part", kept);
  }
  close(lock);
  if (fs::exists(data)) {
    return false;
  }
  fs::copy(kept, data, fs::copy_options::recursive);
  return true;
}

}  // namespace sub0::testing
