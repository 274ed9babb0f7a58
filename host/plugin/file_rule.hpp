// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sub0::plugin {

/// Whether a file may be trusted where it lies: its real path is inside the folder, and it, the
/// folder and the folders between belong to root or the host's user and are writable by nobody else
/// (world, or a group that is not root's or the host's own). Folders above are the system's affair.
struct FileRuleResult {
  std::string real_path;  // empty: it does not exist or lies outside; `problem` says so
  std::string problem;    // what is wrong, and how to mend it; empty: nothing
};
FileRuleResult checkFileRule(const std::string& path, const std::string& folder);

}  // namespace sub0::plugin
