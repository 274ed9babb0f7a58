// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ucontext.h>

#include <functional>

#include "loop/loop.hpp"
#include "plugin/faults.hpp"

namespace sub0::simulation {

/// A second stack on this thread: the body of a loop runs on one, so that it can sleep within its
/// Io like a thread does, while everything else goes on; so do the pool's. Which loop and whose
/// code the thread is in changes with it. OWNERSHIP: destroyed only when finished, or never begun.
class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Runs the body until it pauses or ends. REQUIRES: not from within a fiber.
  void resume();
  /// Within the body: back to who resumed it.
  void pause();
  bool isFinished() const { return is_finished_; }
  /// The one whose body runs now, or null.
  static Fiber* current() { return current_; }

 private:
  static void enter(unsigned high, unsigned low);
  void switchTo(ucontext_t& from, ucontext_t& to, bool to_fiber);

  static Fiber* current_;
  std::function<void()> body_;
  char* stack_ = nullptr;
  ucontext_t own_{};
  ucontext_t outer_{};
  loop::Loop* loop_ = nullptr;          // whose turn it is while the body runs
  plugin::CallFrame* frame_ = nullptr;  // whose code
  bool is_begun_ = false;
  bool is_finished_ = false;
  [[maybe_unused]] void* outer_stack_ = nullptr;  // for the address sanitizer
  [[maybe_unused]] std::size_t outer_stack_bytes_ = 0;
};

}  // namespace sub0::simulation
