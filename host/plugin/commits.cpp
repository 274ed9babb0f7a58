// SPDX-License-Identifier: Apache-2.0
#include "plugin/commits.hpp"

#include "plugin/faults.hpp"
#include "plugin/host_runs.hpp"

namespace sub0::plugin {
namespace {

// Who gives a commit up rolls it back, which tells the plugin as well.
void onCommit(void* action, const sub0_run* run) {
  const Plugin& plugin = *static_cast<Plugin*>(action);
  plugin.call_hooks->commit(plugin.call_hooks_user, run);
}

constexpr sub0_handler kCommitHandler = hostHandler(onCommit);

}  // namespace

void takeCallHooks(Plugin& plugin, const sub0_call_hooks& hooks, void* user) {
  plugin.call_hooks = &hooks;
  plugin.call_hooks_user = user;
  setHostHandler(plugin.commits, plugin, kCommitHandler, "commit");
}

PreparedAction commitOf(Plugin& plugin, std::string_view resource) {
  return hostRunOf(plugin.commits, resource);
}

void rollback(const PreparedAction& commit, std::uint64_t call_id, RunningMark& mark) {
  const Plugin& plugin = *commit.handler->plugin;
  callPlugin(*commit.site, "rollback", 0, &mark,
             [&] { plugin.call_hooks->rollback(plugin.call_hooks_user, call_id); });
}

}  // namespace sub0::plugin
