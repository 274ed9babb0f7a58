// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plugin/plugin.hpp"

namespace sub0::plugin {

/// Fills the slots of a plugin's sub0_host; what they do is in host_functions.cpp.
void fillHost(PluginHost& host);

/// The host's table of that extension ("sub0.loop/1"), or null.
const void* hostExtension(std::string_view name);

}  // namespace sub0::plugin
