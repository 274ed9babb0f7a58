// SPDX-License-Identifier: Apache-2.0
#include "plugin/commits.hpp"

#include "plugin/faults.hpp"

namespace sub0::plugin {
namespace {

// The state of a prepared commit is the plugin itself.
Plugin& pluginOf(void* action) { return *static_cast<Plugin*>(action); }

void onRun(void* action, const sub0_run* run) {
  const Plugin& plugin = pluginOf(action);
  plugin.call_hooks->commit(plugin.call_hooks_user, run);
}

// Who gives a commit up rolls it back, which tells the plugin as well.
void onCancel(void*, sub0_ticket) {}
void onRelease(void*) {}

constexpr sub0_handler makeTable() {
  sub0_handler table{};
  table.struct_size = sizeof(sub0_handler);
  table.kind = SUB0_MODE;
  table.placement = SUB0_PLACE_LOOP;
  table.run = onRun;
  table.cancel = onCancel;
  table.release = onRelease;
  return table;
}

constexpr sub0_handler kTable = makeTable();

}  // namespace

void takeCallHooks(Plugin& plugin, const sub0_call_hooks& hooks, void* user) {
  plugin.call_hooks = &hooks;
  plugin.call_hooks_user = user;
  plugin.commits.table = &kTable;
  plugin.commits.plugin = &plugin;
  plugin.commits.name = "commit";
}

PreparedAction commitOf(Plugin& plugin, std::string_view resource) {
  PreparedAction prepared;
  prepared.handler = &plugin.commits;
  prepared.site = &plugin.commits.siteOf(resource);
  prepared.action = &plugin;
  prepared.placement = Placement::kLoop;
  return prepared;
}

void rollback(const PreparedAction& commit, std::uint64_t call_id, RunningMark& mark) {
  const Plugin& plugin = *commit.handler->plugin;
  callPlugin(*commit.site, "rollback", 0, &mark,
             [&] { plugin.call_hooks->rollback(plugin.call_hooks_user, call_id); });
}

}  // namespace sub0::plugin
