// SPDX-License-Identifier: Apache-2.0
#include "plugin/host_runs.hpp"

namespace sub0::plugin {

void setHostHandler(Handler& handler, Plugin& plugin, const sub0_handler& table,
                    std::string_view name) {
  handler.table = &table;
  handler.plugin = &plugin;
  handler.name = name;
}

PreparedAction hostRunOf(Handler& handler, std::string_view resource) {
  PreparedAction prepared;
  prepared.handler = &handler;
  prepared.site = &handler.siteOf(resource);
  prepared.action = handler.plugin;
  prepared.placement = Placement::kLoop;
  return prepared;
}

}  // namespace sub0::plugin
