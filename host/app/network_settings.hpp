// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "app/settings.hpp"
#include "net/options.hpp"

namespace sub0::app {

/// The network's options as the settings say them. What is wrong with a setting is added to
/// `problems`, with its value and origin; its option keeps the default then. One reader for `run`
/// and `check`, so that what passes the one starts with the other.
net::Options networkOptions(const Settings& settings, std::vector<std::string>& problems);

}  // namespace sub0::app
