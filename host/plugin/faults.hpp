// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/log.hpp"
#include "plugin/plugin.hpp"

namespace sub0::plugin {

/// What a loop's thread executes of a plugin now, for the watchdog. Written by that thread only.
struct RunningMark {
  std::atomic<Handler*> handler{nullptr};
  std::atomic<std::uint64_t> number{0};  // of the call, ever rising
  std::atomic<std::uint64_t> noted{0};   // the watchdog's: this call is counted as too long
};

/// Marks, for the time of one call into a plugin, whose code this thread executes: log lines, the
/// watchdog and "does it end within its run" read it. Frames nest. Lives on the stack of the
/// calling thread.
class CallFrame {
 public:
  /// `mark`: of this loop's thread, null elsewhere.
  CallFrame(Handler& handler, std::string_view resource, sub0_ticket ticket, RunningMark* mark)
      : handler_(handler), resource_(resource), ticket_(ticket), mark_(mark), outer_(current_) {
    current_ = this;
    if (mark_ == nullptr) return;
    mark_->handler.store(&handler, std::memory_order_relaxed);
    mark_->number.store(mark_->number.load(std::memory_order_relaxed) + 1,
                        std::memory_order_release);
  }
  ~CallFrame() {
    current_ = outer_;
    if (mark_ == nullptr) return;
    const bool is_outer_marked = outer_ != nullptr && outer_->mark_ == mark_;
    mark_->handler.store(is_outer_marked ? &outer_->handler_ : nullptr, std::memory_order_relaxed);
  }
  CallFrame(const CallFrame&) = delete;
  CallFrame& operator=(const CallFrame&) = delete;

  /// This thread's innermost frame, or null.
  static const CallFrame* current() { return current_; }
  Handler& handler() const { return handler_; }
  std::string_view resource() const { return resource_; }
  sub0_ticket ticket() const { return ticket_; }
  const RunningMark* mark() const { return mark_; }

 private:
  static inline constinit thread_local CallFrame* current_ = nullptr;

  Handler& handler_;
  const std::string_view resource_;
  const sub0_ticket ticket_;
  RunningMark* const mark_;
  CallFrame* const outer_;
};

/// One log line with plugin, handler and resource, as far as there are any.
void logLine(log::Level level, std::string_view event, std::string_view text,
             const Handler& handler, std::string_view resource);

/// Keeps the error for the report of a create or start that fails; at other times does nothing.
void noteError(Plugin& plugin, std::string_view text);

/// Counts and logs an exception that reached the wall. Call it in a handler of `catch (...)`.
void onException(Handler& handler, std::string_view function, std::string_view resource);

/// Logs a fault of a plugin by plugin, handler and resource.
void logFault(const Handler& handler, std::string_view what, std::string_view resource);

/// Counts and logs a call that held a loop for the budget of 100 ms or longer, unless the watchdog
/// has. Call it before the next frame of this loop.
void noteDuration(Handler& handler, std::string_view resource, std::int64_t duration_ns,
                  const RunningMark& mark);

/// Runs `call` under the catch-all; false: something was thrown (counted and logged).
template <typename Call>
bool guarded(Handler& handler, std::string_view function, std::string_view resource, Call&& call) {
  try {
    std::forward<Call>(call)();
    return true;
  } catch (...) {
    onException(handler, function, resource);
    return false;
  }
}

}  // namespace sub0::plugin
