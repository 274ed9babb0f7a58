// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "plugin/plugin.hpp"
#include "plugin/preparation.hpp"

// What the host itself has a plugin do for a call (ends of transactions, statements), dressed as
// runs of a handler, so that all rules of runs hold for it as they stand: deadline, late and double
// ends, attribution, counting. The state of the prepared action is the plugin itself.
namespace sub0::plugin {

/// A handler of the host's own. What the plugin does not know of it cannot cancel or release.
constexpr sub0_handler hostHandler(void (*run)(void* plugin, const sub0_run* run)) {
  sub0_handler table{};
  table.struct_size = sizeof(sub0_handler);
  table.kind = SUB0_MODE;
  table.placement = SUB0_PLACE_LOOP;
  table.run = run;
  table.cancel = [](void*, sub0_ticket) {};
  table.release = [](void*) {};
  return table;
}

/// Makes one of the plugin's handlers such a one. `table` and `name` live as long as the process.
/// THREAD: control.
void setHostHandler(Handler& handler, Plugin& plugin, const sub0_handler& table,
                    std::string_view name);

/// What TicketTable runs by it for calls of `resource`. THREAD: control.
PreparedAction hostRunOf(Handler& handler, std::string_view resource);

}  // namespace sub0::plugin
