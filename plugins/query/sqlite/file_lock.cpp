// SPDX-License-Identifier: Apache-2.0
#include "sqlite/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace sub0::query {

FileLock::~FileLock() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

bool FileLock::take(const std::string& database_path, std::string& error) {
  std::error_code unknown;  // the same file by another way is the same lock
  const std::filesystem::path real = std::filesystem::weakly_canonical(database_path, unknown);
  const std::string path = (unknown ? database_path : real.string()) + ".sub0-lock";
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    error = "cannot make the lock file " + path + ": " +
            std::error_code(errno, std::generic_category()).message();
    return false;
  }
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) {
    return true;
  }
  error = errno == EWOULDBLOCK
              ? "another sub0-host is running on the database file " + database_path +
                    " (it holds the lock of " + path + "): stop it, or use another file"
              : "cannot lock " + path + ": " +
                    std::error_code(errno, std::generic_category()).message();
  return false;
}

}  // namespace sub0::query
