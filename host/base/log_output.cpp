// SPDX-License-Identifier: Apache-2.0
#include "base/log_output.hpp"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sub0::log {
namespace {

constexpr int kLongestWaitMs = 100;
// Of a pipe that is writable so much is taken without waiting (pipe(7)).
constexpr std::size_t kPieceBytes = PIPE_BUF;

}  // namespace

/// Also true where writing fails at once.
bool Output::hasRoom(bool may_wait) {
  pollfd output{descriptor_, POLLOUT, 0};
  const int wait_ms = may_wait && !is_stuck_ ? kLongestWaitMs : 0;
  const int ready =
      ::poll(&output, 1, wait_ms);  // banned-call: stderr, which is no socket of the host
  is_stuck_ = ready == 0;
  return ready != 0;
}

void Output::write(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (!hasRoom(true)) {
    ++lost_;
    return;
  }
  if (std::exchange(is_cut_, false)) (void)!::write(descriptor_, "\n", 1);
  while (!line.empty()) {
    if (!hasRoom(true)) {
      ++lost_;
      is_cut_ = true;
      return;
    }
    const auto written = ::write(descriptor_, line.data(), std::min(line.size(), kPieceBytes));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::size_t Output::takeLost() {
  const std::lock_guard lock(mutex_);
  return lost_ > 0 && hasRoom(false) ? std::exchange(lost_, 0) : 0;
}

}  // namespace sub0::log
