// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plugin/fault_counts.hpp"
#include "plugin/plugin.hpp"

namespace sub0::plugin {

class HostTable;

enum class Severity : std::uint8_t { kError, kWarning };

/// Something wrong with a file, a folder or a plugin; the message names both sides and how to mend.
struct LoadProblem {
  Severity severity;
  std::string file;
  std::string message;
};

struct PluginFolder {
  std::string path;
  bool is_packaged = false;  // writable by others: refused; else a warning
};

struct LoadOptions {
  /// SUB0_PLUGIN_ERRORS=skip: what cannot load is a warning, and the others load.
  bool skip_errors = false;
};

/// All plugins of the process: finds, checks (card first, nothing of the file runs before), loads
/// and leads them through their life. THREAD: control only, one at a time; find…() on any thread
/// once loading is over. OWNERSHIP: plugins and handlers live as long as the registry; files stay
/// mapped for ever. Every call into a plugin is under a catch-all and attributed. Does not run
/// actions.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Loads every *.so of the folders, in order of folders and names. A folder that is not there is
  /// a warning. May be called once.
  void loadFolders(const std::vector<PluginFolder>& folders, const LoadOptions& options = {});
  /// Loads one file. False: refused, see problems().
  bool loadFile(const std::string& path, const PluginFolder& folder,
                const LoadOptions& options = {});
  /// A plugin that is linked into the process (tests, simulation): the same checks but the file's.
  bool add(const sub0_plugin* descriptor, const LoadOptions& options = {});

  const std::vector<LoadProblem>& problems() const { return problems_; }
  bool hasErrors() const;

  Handler* findMode(std::string_view name) const;  // "QUERY"; null: no plugin offers it
  Handler* findEffect(std::string_view config_key) const;
  const std::vector<std::unique_ptr<Plugin>>& plugins() const { return plugins_; }
  const std::vector<Handler*>& handlers() const { return handlers_; }
  /// What each handler did wrong so far, each plugin's handlers, commits and statements before its
  /// callbacks; the columns are faultColumns(). THREAD: any, once loading is over.
  std::vector<FaultCounts> faultCounts() const;
  /// All settings that plugins declare, each name once.
  std::vector<DeclaredSetting> settings() const;

  /// The value of a setting by name, or nullopt: its default holds.
  using Resolver = std::function<std::optional<std::string>(std::string_view name)>;

  /// Creates all plugins. False: one failed; see problems(). One that failed gets `destroy` if it
  /// stored a self. REQUIRES: `host` outlives the registry's plugins.
  bool createAll(HostTable& host, const Resolver& resolver);
  /// Starts all that were created. False: one failed; those started before it have been stopped.
  bool startAll();
  /// Stops all, last first. `deadline_ns`: monotonic.
  void stopAll(std::uint64_t deadline_ns);
  /// Not at a normal exit (late threads of plugins must not meet destructors): tests, `check`.
  void destroyAll();

  /// The table that the first plugin offers by that name ("sub0.sql/1"), with its self; null: none.
  struct Extension {
    const void* table = nullptr;
    void* self = nullptr;
    Plugin* plugin = nullptr;
  };
  Extension extension(std::string_view name) const;

 private:
  bool admit(const sub0_plugin* descriptor, const std::string& file, const LoadOptions& options,
             Plugin** admitted);
  void report(const LoadOptions& options, const std::string& file, std::string message);
  void warn(const std::string& file, std::string message);
  bool createOne(Plugin& plugin, HostTable& host, const Resolver& resolver);

  std::vector<LoadProblem> problems_;
  std::vector<std::unique_ptr<Plugin>> plugins_;
  std::vector<Handler*> handlers_;
  std::unordered_map<std::string_view, Handler*> modes_;
  std::unordered_map<std::string_view, Handler*> effects_;
};

}  // namespace sub0::plugin
