// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dialect/project.hpp"
#include "json/parser.hpp"
#include "json/writer.hpp"

// Projects written as text inside tests: a map of files, a load with the usual plugins, and a way
// to ask for one problem.
namespace sub0::dialect {

class MemoryFiles final : public FileReader {
 public:
  MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  std::optional<std::vector<FolderEntry>> list(const std::string& folder) override {
    const std::string prefix = folder + "/";
    std::vector<FolderEntry> entries;
    std::set<std::string> seen;
    for (const auto& [path, text] : files_) {
      if (path.compare(0, prefix.size(), prefix) != 0) continue;
      const std::string rest = path.substr(prefix.size());
      const std::size_t slash = rest.find('/');
      const std::string name = rest.substr(0, slash);
      if (seen.insert(name).second) entries.push_back({name, slash != std::string::npos});
    }
    if (entries.empty()) return std::nullopt;
    return entries;
  }

  std::optional<std::string> read(const std::string& path) override {
    const auto found = files_.find(path);
    if (found == files_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::map<std::string, std::string> files_;
};

inline LoadOptions usualOptions() {
  LoadOptions options;
  options.modes = {{"QUERY", "sql_query"}, {"BROADCAST", "broadcast"}, {"VALUE", "value"}};
  options.effects = {{"broadcast_websocket_message"}};
  options.plugin_hint = "searched: /plugins";
  options.sockets = false;
  return options;
}

struct Loaded {
  std::unique_ptr<Project> project;
  Problems problems;

  /// The first problem of `rule` at `pointer`, or null.
  const Problem* find(const std::string& rule, const std::string& pointer) const {
    for (const Problem& problem : problems.all()) {
      if (problem.rule == rule && problem.place.pointer == pointer) return &problem;
    }
    return nullptr;
  }
  bool hasError(const std::string& rule, const std::string& pointer) const {
    const Problem* problem = find(rule, pointer);
    return problem != nullptr && problem->severity == Severity::kError;
  }
  bool hasWarning(const std::string& rule, const std::string& pointer) const {
    const Problem* problem = find(rule, pointer);
    return problem != nullptr && problem->severity == Severity::kWarning;
  }
};

inline Loaded loadFiles(std::map<std::string, std::string> texts,
                        const LoadOptions& options = usualOptions(),
                        const std::string& folder = "project") {
  MemoryFiles files(std::move(texts));
  Loaded loaded;
  loaded.project = Project::load(files, folder, options, loaded.problems);
  return loaded;
}

/// One file, project/resources/a.json.
inline Loaded loadText(const std::string& text, const LoadOptions& options = usualOptions()) {
  return loadFiles({{"project/resources/a.json", text}}, options);
}

/// A resource "r" at route "route" with these actions, and more members before them.
inline std::string resourceText(const std::string& actions, const std::string& more = "") {
  return R"({"id": "r", "resource": "route", )" + more + R"("actionables": [)" + actions + "]}";
}

/// An action of mode VALUE, with more members behind a comma.
inline std::string actionText(int id, const std::string& more = "") {
  return R"({"id": )" + std::to_string(id) + R"(, "mode": "VALUE", "value": 1)" + more + "}";
}
/// Such a member: it depends on actions of its own resource.
inline std::string dependsOn(const std::string& ids, const std::string& more = "") {
  return R"(, "depends_on": [{"resource_id": "self", "action_ids": )" + ids + more + "}]";
}

/// A value from text that lives as long as the process of the test.
inline json::Value valueOf(const std::string& text) {
  static Arena arena;
  static json::Parser parser;
  auto value = parser.parseCopy(text, arena);
  return value ? *value : json::text("NOT JSON: " + text);
}

}  // namespace sub0::dialect
