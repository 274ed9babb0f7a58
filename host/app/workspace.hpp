// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/command_line.hpp"
#include "app/settings.hpp"
#include "call/plan_set.hpp"
#include "dialect/project.hpp"
#include "net/options.hpp"
#include "plugin/host_table.hpp"
#include "plugin/registry.hpp"

namespace sub0::app {

/// The project's folder, which a command names as its word or by --resources; empty: it names none,
/// or several.
std::string projectFolder(const Arguments& arguments);

/// The options that all commands about a project share: --resources, --plugins, --state, --config,
/// --strict, …
std::vector<OptionDeclaration> projectOptions();

/// A project with its settings and plugins, as `run`, `check`, `routes`, `config`, `sql` and
/// `token` need it: one place for where plugins, state and .env are found. Control thread, in this
/// order: constructor, loadPlugins, loadProject, createPlugins, compile. Everything that is wrong
/// is collected, so that all of it can be said at once.
class Workspace {
 public:
  /// `resources`: the folder; empty: none (config, plugin list). `starting`: for `run` (S-3).
  Workspace(const Arguments& arguments, std::string resources, bool starting);
  /// Destroys plugins that are still there.
  ~Workspace() { destroyPlugins(); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  void loadPlugins();
  void loadProject();
  /// REQUIRES: `host` has its loops, if there are any.
  void createPlugins(plugin::HostTable& host);
  /// For who runs nothing.
  void createPluginsOffline() { createPlugins(offline_host_); }
  void compile();
  /// All of these, for commands that run nothing.
  void compileOffline();
  /// For `check`: warnings that are no news to who starts the host each day.
  void warnOfOpenDoors() { plans_->warnOfOpenDoors(problems_); }
  /// For a reload: reads the project's files anew and compiles them with the plugins that run.
  /// Null: they have errors. What is wrong or doubtful is in `problems`; nothing else changes.
  std::shared_ptr<const call::PlanSet> recompile(dialect::Problems& problems);
  /// Gives actions and plugins back. REQUIRES: no run is under way, nobody else holds plans().
  void destroyPlugins();

  /// Every error and warning so far, on stderr (text or JSON lines). True: there is no error.
  bool reportProblems() {
    addFindings();  // of plugins that did not start
    return report(problems_);
  }
  /// For commands that are about something else: errors in full, and of warnings only how many
  /// there are and which command shows them.
  bool reportErrors();
  /// The first, for the problems of a reload.
  bool report(dialect::Problems& problems) const;
  /// Something that stands in no file of the project.
  void addProblem(const std::string& message) {
    problems_.error({"settings", "", {}}, "", message);
  }

  /// The kind of the database in use ("sqlite", "postgres"), never its address.
  std::string databaseName() const;

  /// The same as a list.
  const dialect::Problems& sortedProblems() {
    problems_.sort();
    return problems_;
  }

  Settings& settings() { return settings_; }
  /// As the settings say, once loadPlugins() has looked at them.
  const net::Options& networkOptions() const { return network_options_; }
  plugin::Registry& registry() { return registry_; }
  const std::shared_ptr<const dialect::Project>& project() const { return project_; }
  const std::shared_ptr<const call::PlanSet>& plans() const { return plans_; }
  /// For who decides how long a set, and the project below it, lives.
  std::shared_ptr<const call::PlanSet> takePlans() {
    project_.reset();
    return std::exchange(plans_, nullptr);
  }
  const std::vector<plugin::PluginFolder>& pluginFolders() const { return plugin_folders_; }
  const std::string& stateFolder() const { return state_folder_; }
  /// Those that the plans refuse (S-74).
  auth::RevokedTokens& revokedTokens() { return revoked_tokens_; }

 private:
  void readDotEnv();
  void checkSettings();
  std::shared_ptr<const dialect::Project> readProject(dialect::Problems& problems) const;
  std::optional<std::string> pluginSetting(std::string_view name) const;
  call::IdentityOptions identityOptions() const;
  void addFindings();

  const bool starting_;
  const bool strict_;
  const std::string resources_;
  dialect::ProjectLayout layout_;
  std::string state_folder_;
  std::vector<plugin::PluginFolder> plugin_folders_;
  Settings settings_;
  net::Options network_options_;
  dialect::Problems problems_;
  plugin::HostTable offline_host_;
  plugin::Registry registry_;
  auth::RevokedTokens revoked_tokens_;
  bool has_plugins_ = false;
  std::size_t plugin_problems_taken_ = 0;
  std::shared_ptr<const dialect::Project> project_;
  std::shared_ptr<const call::PlanSet> plans_;
};

/// A variable of this process.
std::optional<std::string> processEnvironment(std::string_view name);

/// The folder of this program's file.
std::string programFolder();

}  // namespace sub0::app
