// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/fiber.hpp"

#include <sys/mman.h>

#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#if defined(__has_feature)  // clang's way of telling what gcc tells by a macro
#if __has_feature(address_sanitizer)
#define SUB0_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SUB0_ADDRESS_SANITIZER
#endif
#if defined(SUB0_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif

namespace sub0::simulation {
namespace {

constexpr std::size_t kStackBytes = std::size_t{512} << 10;

/// Stacks are kept: mapping one takes longer than a short run.
std::vector<char*>& spareStacks() {
  static std::vector<char*> stacks = [] {
    std::vector<char*> made;
    made.reserve(64);
    return made;
  }();
  return stacks;
}

char* takeStack() {
  auto& spare = spareStacks();
  if (!spare.empty()) {
    char* stack = spare.back();
    spare.pop_back();
    return stack;
  }
  void* memory = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  ::mprotect(memory, 4096, PROT_NONE);  // an overflow is noticed
  return static_cast<char*>(memory);
}

}  // namespace

Fiber* Fiber::current_ = nullptr;

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {}

Fiber::~Fiber() {
  assert(is_finished_ || !is_begun_);
  if (stack_ != nullptr) spareStacks().push_back(stack_);
}

void Fiber::enter(unsigned high, unsigned low) {
  const std::uintptr_t address = std::uintptr_t{high} << 32 | low;
  auto* fiber = reinterpret_cast<Fiber*>(address);
#if defined(SUB0_ADDRESS_SANITIZER)
  const void* bottom = nullptr;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &fiber->outer_stack_bytes_);
  fiber->outer_stack_ = const_cast<void*>(bottom);
#endif
  fiber->body_();
  fiber->is_finished_ = true;
  fiber->pause();
}

void Fiber::switchTo(ucontext_t& from, ucontext_t& to, [[maybe_unused]] bool to_fiber) {
#if defined(SUB0_ADDRESS_SANITIZER)
  void* fake = nullptr;
  const bool is_last = !to_fiber && is_finished_;
  __sanitizer_start_switch_fiber(is_last ? nullptr : &fake, to_fiber ? stack_ : outer_stack_,
                                 to_fiber ? kStackBytes : outer_stack_bytes_);
  ::swapcontext(&from, &to);
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
  ::swapcontext(&from, &to);
#endif
}

void Fiber::resume() {
  assert(!is_finished_);
  if (!is_begun_) {
    is_begun_ = true;
    stack_ = takeStack();
    ::getcontext(&own_);
    own_.uc_stack.ss_sp = stack_;
    own_.uc_stack.ss_size = kStackBytes;
    own_.uc_link = nullptr;
    const auto address = reinterpret_cast<std::uintptr_t>(this);
    ::makecontext(&own_, reinterpret_cast<void (*)()>(&Fiber::enter), 2,
                  static_cast<unsigned>(address >> 32), static_cast<unsigned>(address));
  }
  assert(current_ == nullptr);
  current_ = this;
  loop::Loop* const outer_loop = loop::Loop::exchangeCurrent(loop_);
  plugin::CallFrame* const outer_frame = plugin::CallFrame::exchangeCurrent(frame_);
  switchTo(outer_, own_, true);
  frame_ = plugin::CallFrame::exchangeCurrent(outer_frame);
  loop_ = loop::Loop::exchangeCurrent(outer_loop);
  current_ = nullptr;
}

void Fiber::pause() { switchTo(own_, outer_, false); }

}  // namespace sub0::simulation
