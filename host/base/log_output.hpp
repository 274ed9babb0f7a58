// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <mutex>
#include <string_view>

namespace sub0::log {

/// Lines into a descriptor that somebody may have stopped reading: what it does not take within
/// 100 ms is left out, and from then on what it does not take at once, until it takes something
/// again. So a log holds up no loop. THREAD: any; a line is written whole, or its beginning is.
class Output {
 public:
  explicit Output(int descriptor) : descriptor_(descriptor) {}

  void write(std::string_view line);
  /// How many lines have been left out since the last call, once there is room again; else 0.
  std::size_t takeLost();

 private:
  bool hasRoom(bool may_wait);

  const int descriptor_;
  std::mutex mutex_;
  std::size_t lost_ = 0;
  bool is_stuck_ = false;
  bool is_cut_ = false;  // the last line has no end
};

}  // namespace sub0::log
