// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/dotenv.hpp"
#include "dialect/files.hpp"
#include "dialect/model.hpp"
#include "dialect/problem.hpp"
#include "dialect/source_file.hpp"
#include "dialect/table_model.hpp"

// From a folder to a checked model: reads every resource file, checks it against the declaration of
// the dialect's keys, resolves what resources say about each other, and reports all errors of all
// files at once. Knows plugins only as the lists of modes and effects that it is given. Control
// thread; the finished Project is immutable.
namespace sub0::dialect {

/// A mode that some plugin offers, and the key of its configuration on an action.
struct ModeDeclaration {
  std::string mode;
  std::string config_key;
  std::string schema = {};  // of the key's value; empty: the plugin gives none
};

/// An effect that some plugin offers: a key on an action of any mode.
struct EffectDeclaration {
  std::string key;
  std::string schema = {};
};

struct LoadOptions {
  std::vector<ModeDeclaration> modes;
  std::vector<EffectDeclaration> effects;
  /// Ends the error about a mode that nobody offers: "searched: /a, /b".
  std::string plugin_hint;
  /// The process's environment; `.env` of the project is added behind it by load().
  EnvironmentLookup environment;
  std::uint32_t max_bcrypt_cost = 31;     // SUB0_BCRYPT_MAX_COST, for S-95
  bool strict = false;                    // --strict
  bool starting = false;                  // `run`, not `check`: an unset key is an error (S-3)
  bool sockets = true;                    // ALLOW_WEBSOCKET_CONNECTIONS, for S-113's warning
  std::string websocket_endpoint = "ws";  // taken as a route besides the fixed ones (S-50)
};

class Project {
 public:
  /// Loads what --resources names. Never null; look at `problems` before use: with errors the model
  /// holds what could be read.
  static std::unique_ptr<Project> load(FileReader& files, const std::string& folder,
                                       const LoadOptions& options, Problems& problems);

  const std::vector<Resource>& resources() const { return resources_; }
  /// By id or route, exactly (S-11); null pointer if there is none.
  const Resource* find(std::string_view id_or_route) const;
  /// By file name (S-100).
  const std::vector<TableModel>& models() const { return models_; }
  const ProjectLayout& layout() const { return layout_; }
  const EnvironmentValues& dotEnv() const { return dot_env_; }
  const EnvironmentLookup& environment() const { return environment_; }

  /// What Template::compile and Parameter::compile need for values of `action`.
  CompileContext contextOf(const Actionable& action, Problems& problems) const;
  /// The same for values of the resource itself.
  CompileContext contextOf(const Resource& resource, Problems& problems) const;
  /// The place of the value (`relative` "" or a JSON pointer) below the config key `key` of an
  /// action: for errors and warnings of plugins, and pointers of inputs.
  static std::string pointerBelow(const Actionable& action, std::string_view key,
                                  std::string_view relative);

 private:
  friend class ProjectLoader;
  Project() = default;
  CompileContext contextOf(const Spot& place, const Names& names, Problems& problems) const;

  std::vector<std::unique_ptr<SourceFile>> files_;
  std::vector<std::unique_ptr<SourceFile>> model_files_;
  std::unique_ptr<SourceFile> table_names_file_;
  std::vector<Resource> resources_;
  std::vector<TableModel> models_;
  ProjectLayout layout_;
  EnvironmentValues dot_env_;
  EnvironmentLookup environment_;
  bool strict_ = false;
};

}  // namespace sub0::dialect
