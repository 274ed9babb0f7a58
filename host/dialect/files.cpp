// SPDX-License-Identifier: Apache-2.0
#include "dialect/files.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace sub0::dialect {

namespace {

constexpr std::size_t kMaxFolderDepth = 64;
constexpr std::string_view kJsonEnding = ".json";

bool hasFolder(FileReader& files, const std::string& parent, const std::string& name) {
  const auto entries = files.list(parent);
  if (!entries) return false;
  return std::any_of(entries->begin(), entries->end(), [&](const FolderEntry& entry) {
    return entry.is_folder && entry.name == name;
  });
}

bool hasFile(FileReader& files, const std::string& parent, const std::string& name) {
  const auto entries = files.list(parent);
  if (!entries) return false;
  return std::any_of(entries->begin(), entries->end(), [&](const FolderEntry& entry) {
    return !entry.is_folder && entry.name == name;
  });
}

std::string withoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Textual, so that a map of files works like a file system.
std::string parentOf(const std::string& path) {
  if (path == "." || path.empty()) return "..";
  if (path == "/") return "/";
  const std::size_t slash = path.rfind('/');
  const std::string last = slash == std::string::npos ? path : path.substr(slash + 1);
  if (last == ".." || last == ".") return path + "/..";
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool isSkippedFolder(const std::string& name) {
  return name.empty() || name.front() == '.' || name == "node_modules" || name == "models";
}

bool endsAsJson(const std::string& name) {
  return name.size() > kJsonEnding.size() &&
         name.compare(name.size() - kJsonEnding.size(), kJsonEnding.size(), kJsonEnding) == 0;
}

bool isResourceFile(const std::string& name) {
  return endsAsJson(name) && name.front() != '.' && name != "package.json" &&
         name != "tsconfig.json";
}

// Walks folders; `above` holds the identities of those that are open.
class Walk {
 public:
  Walk(FileReader& files, Problems& problems) : files_(files), problems_(problems) {}

  void enter(const std::string& folder) {
    const auto entries = files_.list(folder);
    if (!entries) return;
    const std::string identity = files_.identityOf(folder);
    if (std::find(above_.begin(), above_.end(), identity) != above_.end()) {
      problems_.warning({folder, "", {}}, "S-1",
                        "this link leads back to a folder that it stands in; it is not followed");
      return;
    }
    if (above_.size() == kMaxFolderDepth) {
      problems_.error({folder, "", {}}, "S-1", "folders are nested too deeply");
      return;
    }
    above_.push_back(identity);
    for (const FolderEntry& entry : *entries) take(joinPath(folder, entry.name), entry);
    above_.pop_back();
  }

  std::vector<std::string> found;

 private:
  void take(const std::string& path, const FolderEntry& entry) {
    if (!entry.is_folder) {
      if (isResourceFile(entry.name)) found.push_back(path);
    } else if (!isSkippedFolder(entry.name)) {
      if (endsAsJson(entry.name)) {
        problems_.warning({path, "", {}}, "S-1",
                          "this is a folder, in spite of its name; resources are read inside it");
      }
      enter(path);
    }
  }

  FileReader& files_;
  Problems& problems_;
  std::vector<std::string> above_;
};

}  // namespace

std::string joinPath(const std::string& folder, const std::string& name) {
  if (folder.empty()) return name;
  return folder.back() == '/' ? folder + name : folder + "/" + name;
}

std::optional<std::vector<FolderEntry>> FileSystemReader::list(const std::string& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error) return std::nullopt;
  std::vector<FolderEntry> out;
  for (const auto end = std::filesystem::directory_iterator(); entries != end;) {
    std::error_code kind_error;
    out.push_back(
        {entries->path().filename().string(), entries->is_directory(kind_error) && !kind_error});
    entries.increment(error);
    if (error) break;
  }
  return out;
}

std::optional<std::string> FileSystemReader::read(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::ostringstream content;
  if (stream.peek() != std::ifstream::traits_type::eof()) content << stream.rdbuf();
  if (stream.bad()) return std::nullopt;
  return content.str();
}

ProjectLayout findProject(FileReader& files, const std::string& folder) {
  ProjectLayout layout;
  const std::string here = withoutTrailingSlashes(folder.empty() ? "." : folder);
  layout.exists = files.list(here).has_value();
  layout.project_folder = here;
  layout.resource_folder = here;
  if (!layout.exists) return layout;
  if (hasFolder(files, here, "resources")) {
    layout.resource_folder = joinPath(here, "resources");
    if (hasFolder(files, here, "models")) layout.models_folder = joinPath(here, "models");
    if (hasFile(files, here, ".env")) layout.env_file = joinPath(here, ".env");
    return layout;
  }
  const std::string beside = parentOf(here);
  bool is_inside_project = here.size() >= 10 && here.substr(here.size() - 10) == "/resources";
  if (here == "resources") is_inside_project = true;
  for (const std::string& candidate : {here, beside}) {
    if (layout.models_folder.empty() && hasFolder(files, candidate, "models")) {
      layout.models_folder = joinPath(candidate, "models");
    }
    if (layout.env_file.empty() && hasFile(files, candidate, ".env")) {
      layout.env_file = joinPath(candidate, ".env");
      if (candidate == beside) is_inside_project = true;
    }
  }
  if (is_inside_project) layout.project_folder = beside;
  return layout;
}

void reportNoProject(FileReader& files, const std::string& folder, Problems& problems) {
  const bool is_file = files.read(folder).has_value();
  problems.error({folder, "", {}}, "S-1",
                 is_file ? "this is a file; name the project's folder"
                         : "there is no such folder; name the project's, which holds resources/");
}

std::string FileSystemReader::reasonOf(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error) return error.message();
  if (status.type() != std::filesystem::file_type::regular) return "it is no regular file";
  errno = 0;
  const bool is_open = std::ifstream(path, std::ios::binary).is_open();
  return is_open || errno == 0 ? "" : std::generic_category().message(errno);
}

std::string FileSystemReader::identityOf(const std::string& folder) {
  std::error_code error;
  const auto real = std::filesystem::canonical(folder, error);
  return error ? folder : real.string();
}

std::vector<std::string> listResourceFiles(FileReader& files, const ProjectLayout& layout,
                                           Problems& problems) {
  Walk walk(files, problems);
  walk.enter(layout.resource_folder);
  std::sort(walk.found.begin(), walk.found.end());
  return std::move(walk.found);
}

}  // namespace sub0::dialect
