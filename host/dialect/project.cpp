// SPDX-License-Identifier: Apache-2.0
#include "dialect/project.hpp"

#include <algorithm>
#include <utility>

#include "dialect/claims_of_none.hpp"
#include "dialect/keys.hpp"
#include "dialect/known_results.hpp"
#include "dialect/resource_reader.hpp"
#include "dialect/syntax_hint.hpp"
#include "dialect/table_model_reader.hpp"

namespace sub0::dialect {

class ProjectLoader {
 public:
  ProjectLoader(FileReader& files, const LoadOptions& options, Problems& problems)
      : files_(files), options_(options), problems_(problems), project_(new Project()) {}

  std::unique_ptr<Project> load(const std::string& folder) {
    project_->strict_ = options_.strict;
    project_->layout_ = findProject(files_, folder);
    readDotEnv();
    if (!project_->layout_.exists) {
      reportNoProject(files_, folder, problems_);
    } else {
      readResourceFiles();
      readModelFiles();
      readResources();
    }
    problems_.sort();
    return std::move(project_);
  }

 private:
  void readDotEnv() {
    const std::string& path = project_->layout_.env_file;
    if (!path.empty()) {
      const auto text = files_.read(path);
      if (text) {
        project_->dot_env_ = parseDotEnv(*text, path, problems_);
      } else {
        reportUnreadable(path, "S-3");
      }
    }
    project_->environment_ = layeredEnvironment(options_.environment, project_->dot_env_);
  }

  void reportUnreadable(const std::string& path, std::string_view rule) {
    const std::string reason = files_.reasonOf(path);
    problems_.error({path, "", {}}, rule,
                    "this file cannot be read" + (reason.empty() ? "" : ": " + reason));
  }

  // Null: it was reported why.
  std::unique_ptr<SourceFile> readFile(const std::string& path) {
    auto text = files_.read(path);
    if (!text) {
      reportUnreadable(path, "S-1");
      return nullptr;
    }
    const std::string encoding = encodingProblem(*text);
    if (!encoding.empty()) {
      problems_.error({path, "", {1, 1}}, "S-2", encoding);
      return nullptr;
    }
    auto file = std::make_unique<SourceFile>(path, std::move(*text));
    for (const json::TextProblem& problem : file->document().problems()) {
      const std::string hint = problem.pointer.empty()
                                   ? syntaxHint(file->document().text(), problem.offset)
                                   : "; keep one of them";
      problems_.error({path, problem.pointer, file->document().positionOf(problem.offset)}, "S-2",
                      problem.message + hint);
    }
    // Duplicate keys leave a tree that can be read on; syntax errors do not.
    const bool is_readable =
        file->document().problems().empty() || !json::isNull(file->document().root());
    return is_readable ? std::move(file) : nullptr;
  }

  void readResourceFiles() {
    const auto paths = listResourceFiles(files_, project_->layout_, problems_);
    if (paths.empty()) {
      problems_.error({project_->layout_.resource_folder, "", {}}, "S-1",
                      "no resource file (*.json) in this folder");
    }
    for (const std::string& path : paths) {
      if (auto file = readFile(path)) project_->files_.push_back(std::move(file));
    }
  }

  void readModelFiles() {
    const std::string& folder = project_->layout_.models_folder;
    if (folder.empty()) return;
    std::vector<FolderEntry> entries = files_.list(folder).value_or(std::vector<FolderEntry>());
    std::sort(entries.begin(), entries.end(),
              [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
    for (const FolderEntry& entry : entries) {
      const bool is_json =
          entry.name.size() > 5 && entry.name.compare(entry.name.size() - 5, 5, ".json") == 0;
      if (entry.is_folder || !is_json || entry.name.front() == '.') continue;
      auto file = readFile(joinPath(folder, entry.name));
      if (file == nullptr) continue;
      if (entry.name == kTableNamesFile) {
        project_->table_names_file_ = std::move(file);
      } else {
        project_->model_files_.push_back(std::move(file));
      }
    }
    for (const auto& file : project_->model_files_) {
      const json::Value& root = file->document().root();
      if (!json::isObject(root)) continue;
      file->setRoot(withoutAbsent(root, modelDeclaration(), file->memory()));
    }
    project_->models_ = readModels(project_->model_files_, project_->table_names_file_.get(),
                                   options_.strict, problems_);
  }

  // One resource, or several in an array.
  static json::Value withoutAbsentOf(SourceFile& file) {
    const json::Value& root = file.document().root();
    if (json::isObject(root)) return withoutAbsent(root, resourceDeclaration(), file.memory());
    if (!json::isArray(root)) return root;
    auto* items = file.memory().array<json::Value>(root.count);
    for (std::size_t i = 0; i < root.count; ++i) {
      const json::Value& item = root.as.items[i];
      items[i] =
          json::isObject(item) ? withoutAbsent(item, resourceDeclaration(), file.memory()) : item;
    }
    return json::array(items, root.count);
  }

  void readResources() {
    const ReadContext context{options_, project_->environment_, project_->dot_env_, problems_};
    for (const auto& file : project_->files_) {
      file->setRoot(withoutAbsentOf(*file));
      const json::Value& root = file->root();
      if (json::isObject(root)) {
        project_->resources_.push_back(readResource(root, "", *file, context));
        continue;
      }
      if (!json::isArray(root)) {
        problems_.error(file->at(""), "S-1",
                        "a file holds one resource object, or an array of them");
        continue;
      }
      if (root.count == 0) problems_.warning(file->at(""), "S-1", "this file holds no resource");
      for (std::size_t i = 0; i < root.count; ++i) {
        const std::string pointer = "/" + std::to_string(i);
        if (json::isObject(root.as.items[i])) {
          project_->resources_.push_back(readResource(root.as.items[i], pointer, *file, context));
        } else {
          problems_.error(file->at(pointer), "S-1", "a resource is an object");
        }
      }
    }
    for (Resource& resource : project_->resources_) {
      linkResource(resource, project_->resources_, context);
      checkKnownResults(resource, context);
      checkBroadcasts(resource, context);
      warnOfClaimsOfNone(resource, project_->resources_, context);
    }
    warnOfIdleActions(project_->resources_, context);
    checkRoutes(project_->resources_, context);
  }

  FileReader& files_;
  const LoadOptions& options_;
  Problems& problems_;
  std::unique_ptr<Project> project_;
};

std::unique_ptr<Project> Project::load(FileReader& files, const std::string& folder,
                                       const LoadOptions& options, Problems& problems) {
  return ProjectLoader(files, options, problems).load(folder);
}

const Resource* Project::find(std::string_view id_or_route) const {
  const auto found =
      std::find_if(resources_.begin(), resources_.end(), [&](const Resource& resource) {
        return resource.id == id_or_route || resource.route == id_or_route;
      });
  return found == resources_.end() ? nullptr : &*found;
}

CompileContext Project::contextOf(const Spot& place, const Names& names, Problems& problems) const {
  CompileContext context;
  context.file = place.file;
  context.action_pointer = place.pointer;
  context.names = &names;
  context.environment = &environment_;
  context.dot_env = &dot_env_;
  context.problems = &problems;
  context.strict = strict_;
  return context;
}

CompileContext Project::contextOf(const Actionable& action, Problems& problems) const {
  return contextOf(action.place, action.names, problems);
}

CompileContext Project::contextOf(const Resource& resource, Problems& problems) const {
  return contextOf(resource.place, resource.names, problems);
}

std::string Project::pointerBelow(const Actionable& action, std::string_view key,
                                  std::string_view relative) {
  std::string pointer = action.pointer;
  if (!key.empty()) json::appendPointerSegment(pointer, key);
  return pointer + std::string(relative);
}

}  // namespace sub0::dialect
