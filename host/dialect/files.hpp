// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dialect/problem.hpp"

namespace sub0::dialect {

/// One name in a folder.
struct FolderEntry {
  std::string name;
  bool is_folder = false;
};

/// How a project is read: the file system, or a map in tests. Control thread only.
class FileReader {
 public:
  virtual ~FileReader() = default;
  /// Names in `folder`, in any order; nullopt if there is no such folder.
  virtual std::optional<std::vector<FolderEntry>> list(const std::string& folder) = 0;
  /// The bytes of a file; nullopt if it cannot be read.
  virtual std::optional<std::string> read(const std::string& path) = 0;
  /// Why read() gave nothing, in the system's words; empty: unknown.
  virtual std::string reasonOf(const std::string& /*path*/) { return {}; }
  /// The same for all paths that lead to one folder, through links too.
  virtual std::string identityOf(const std::string& folder) { return folder; }
};

/// The file system; symbolic links are followed.
class FileSystemReader final : public FileReader {
 public:
  std::optional<std::vector<FolderEntry>> list(const std::string& folder) override;
  std::optional<std::string> read(const std::string& path) override;
  std::string reasonOf(const std::string& path) override;
  std::string identityOf(const std::string& folder) override;
};

/// Where the parts of a project are (S-1).
struct ProjectLayout {
  std::string project_folder;   // relative `sqlite:` paths count from here (§14)
  std::string resource_folder;  // read at any depth
  std::string models_folder;    // empty: none
  std::string env_file;         // `.env`; empty: none
  bool exists = false;          // false: `folder` is no folder
};

/// Finds them from what --resources names: a project folder, or a folder of resource files.
ProjectLayout findProject(FileReader& files, const std::string& folder);

/// The error that `folder`, whose layout does not exist, is.
void reportNoProject(FileReader& files, const std::string& folder, Problems& problems);

/// The resource files of the layout, sorted by path, with what S-1 leaves out left out. Warns of
/// folders that look like files, and of links that lead back to where they stand: these are not
/// followed.
std::vector<std::string> listResourceFiles(FileReader& files, const ProjectLayout& layout,
                                           Problems& problems);

/// Paths joined by one '/'.
std::string joinPath(const std::string& folder, const std::string& name);

}  // namespace sub0::dialect
