// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sub0::plugin {

/// What `plugin inspect` shows of one file. The card is read here; the descriptor in a child
/// process with a time limit, so that nothing of the file runs in this one.
struct Inspection {
  bool is_loadable = false;
  std::string text;  // for people, lines
  std::string json;  // one object
};

/// THREAD: control, while no other thread runs (it forks).
Inspection inspect(const std::string& file, unsigned time_limit_s = 10);

}  // namespace sub0::plugin
