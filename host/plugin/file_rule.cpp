// SPDX-License-Identifier: Apache-2.0
#include "plugin/file_rule.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace sub0::plugin {
namespace {

/// Why somebody else could change what lies at `path`; empty: nobody can.
std::string whoElse(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "cannot be looked at";
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return "belongs to user " + std::to_string(info.st_uid) + ", not to root or the host's user " +
           std::to_string(::geteuid()) + ": chown it";
  }
  if ((info.st_mode & S_IWOTH) != 0) return "is writable by everybody: chmod o-w";
  if ((info.st_mode & S_IWGRP) != 0 && info.st_gid != 0 && info.st_gid != ::getegid()) {
    return "is writable by group " + std::to_string(info.st_gid) + ": chmod g-w";
  }
  return {};
}

}  // namespace

FileRuleResult checkFileRule(const std::string& path, const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  const fs::path file = error ? fs::path() : fs::canonical(path, error);
  if (error) return {{}, "cannot be read: " + error.message()};
  const fs::path relative = file.lexically_relative(root);
  if (relative.empty() || *relative.begin() == "..") {
    return {{},
            "leads to " + file.string() + ", outside of the plugin folder " + root.string() +
                ": copy the file into it"};
  }
  FileRuleResult result{file.string(), {}};
  for (fs::path at = file;; at = at.parent_path()) {
    const std::string who = whoElse(at.string());
    if (!who.empty()) {
      result.problem = (at == file ? std::string() : "lies in " + at.string() + ", which ") + who;
      return result;
    }
    if (at == root) return result;
  }
}

}  // namespace sub0::plugin
