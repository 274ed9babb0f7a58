// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/log.hpp"
#include "plugin/plugin.hpp"

namespace sub0::plugin {

/// What a loop's thread executes of a plugin now, for the watchdog. Written by that thread only,
/// but for `noted`. `number` is raised before `site` is set: a site that is read between two equal
/// numbers belongs to that call.
struct RunningMark {
  std::atomic<const CallSite*> site{nullptr};
  std::atomic<std::uint64_t> number{0};  // of the call, ever rising
  std::atomic<std::uint64_t> noted{0};   // the watchdog's: this call is counted as too long

  void enter(const CallSite* entered) {
    number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    site.store(entered, std::memory_order_release);
  }
  void leave() { site.store(nullptr, std::memory_order_release); }
};

/// Marks, for the time of one call into a plugin, whose code this thread executes: log lines, the
/// watchdog, crash reports and "does it end within its run" read it. Frames nest. Lives on the
/// stack of the calling thread.
class CallFrame {
 public:
  /// `function`: a literal that names what is called ("run"). `ticket`: of run() alone, else 0.
  /// `mark`: of this loop's thread, null elsewhere.
  CallFrame(const CallSite& site, const char* function, sub0_ticket ticket, RunningMark* mark)
      : site_(site), function_(function), ticket_(ticket), mark_(mark), outer_(current_) {
    current_ = this;
    if (mark_ != nullptr) mark_->enter(&site_);
  }
  ~CallFrame() {
    current_ = outer_;
    if (mark_ == nullptr) return;
    if (outer_ != nullptr && outer_->mark_ == mark_) {
      mark_->enter(&outer_->site_);
    } else {
      mark_->leave();
    }
  }
  CallFrame(const CallFrame&) = delete;
  CallFrame& operator=(const CallFrame&) = delete;

  /// This thread's innermost frame, or null. Safe in a signal handler.
  static const CallFrame* current() { return current_; }
  /// For a scheduler that switches between stacks on one thread (simulation), as
  /// loop::Loop::exchangeCurrent.
  static CallFrame* exchangeCurrent(CallFrame* frame) { return std::exchange(current_, frame); }
  const CallSite& site() const { return site_; }
  const char* function() const { return function_; }
  sub0_ticket ticket() const { return ticket_; }
  const RunningMark* mark() const { return mark_; }

 private:
  static inline constinit thread_local CallFrame* current_ = nullptr;

  const CallSite& site_;
  const char* const function_;
  const sub0_ticket ticket_;
  RunningMark* const mark_;
  CallFrame* const outer_;
};

/// One log line with plugin, handler and resource, as far as there are any.
void logLine(log::Level level, std::string_view event, std::string_view text, const CallSite& site);

/// Counts and logs an exception that reached the wall. Call it in a handler of `catch (...)`.
void onException(const CallSite& site, const char* function);

/// Logs a fault of a plugin by plugin, handler and resource; of one handler ten a second at most.
/// One of a plugin that is created or started is kept first (kept_error.hpp).
void logFault(const CallSite& site, std::string_view what);

/// The same, at once.
void writeFault(const CallSite& site, std::string_view what);

/// Counts and logs a call that held a loop for the budget of 100 ms or longer, unless the watchdog
/// has. Call it before the next frame of this loop.
void noteDuration(const CallSite& site, const char* function, std::int64_t duration_ns,
                  const RunningMark& mark);

/// Calls into a plugin, in a frame and under the catch-all; false: something was thrown (counted
/// and logged).
template <typename Call>
inline bool callPlugin(const CallSite& site, const char* function, sub0_ticket ticket,
                       RunningMark* mark, Call&& call) {
  const CallFrame frame(site, function, ticket, mark);
  try {
    std::forward<Call>(call)();
    return true;
  } catch (...) {
    onException(site, function);
    return false;
  }
}

}  // namespace sub0::plugin
