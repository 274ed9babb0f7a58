// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "plugin/elf_card.hpp"
#include "sub0/plugin.h"

namespace sub0::plugin {

struct OpenedObject {
  const sub0_plugin* descriptor = nullptr;
  std::string problem;  // empty: the descriptor is there, of sufficient size for its versions
};

/// Maps a plugin's file (its static constructors run) and asks its entry for the descriptor, under
/// the catch-all. Never unmaps it, not even when refused: threads of its may be in there.
OpenedObject openSharedObject(const std::string& real_path, const Card& card);

}  // namespace sub0::plugin
