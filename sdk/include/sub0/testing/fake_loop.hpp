// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sub0.loop/1 of a FakeHost: one loop, whose thread is the test's, and whose clock stands until
// the test moves it. turn() runs what is due: timers, posts, end-of-turn hooks; ready() plays an
// event of a watched descriptor. THREAD: posts may come from any thread, the rest is the test's.

#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <sub0/loop.h>

namespace sub0::testing {

class FakeHost;
class FakeLoop;

// The host's table comes first, so that a pointer to it is a pointer to this.
struct FakeTable {
  sub0_host host;
  FakeHost* self;
  FakeLoop* loop;
};

class FakeLoop {
 public:
  FakeLoop() = default;
  FakeLoop(const FakeLoop&) = delete;
  FakeLoop& operator=(const FakeLoop&) = delete;

  // One turn of the fake loop.
  void turn() {
    for (auto timer = timers_.begin(); timer != timers_.end();) {
      if (timer->second.at_ns > now_ns) {
        ++timer;
        continue;
      }
      const Call call = timer->second.call;
      timers_.erase(timer);
      call.callback(call.user);
      timer = timers_.begin();
    }
    for (std::deque<Call> calls = takePosts(); !calls.empty(); calls.pop_front())
      calls.front().callback(calls.front().user);
    if (std::exchange(wants_end_of_turn_, false) && hooks_ != nullptr)
      hooks_->end_of_turn(hooks_user_, 0);
  }
  // Moves the clock; turn() then runs the timers that are due.
  void advance(uint64_t ms) { now_ns += ms * 1'000'000; }
  // The descriptor is ready; false if nobody watches it for that.
  bool ready(int32_t descriptor, uint32_t events) {
    for (auto& [handle, watch] : watches_) {
      if (watch.descriptor != descriptor || ((watch.events | SUB0_HANGUP) & events) == 0) continue;
      const Watch copy = watch;
      copy.callback(copy.user, events);
      return true;
    }
    return false;
  }
  size_t timers() const { return timers_.size(); }
  size_t watches() const { return watches_.size(); }

  uint64_t now_ns = 1;

 protected:
  ~FakeLoop() = default;
  void startLoop() {
    if (hooks_ != nullptr) hooks_->loop_start(hooks_user_, 0);
  }
  void stopLoop() {
    if (hooks_ != nullptr) hooks_->loop_stop(hooks_user_, 0);
  }
  static const sub0_loop* table() {
    static const sub0_loop kLoop = {
        sizeof(sub0_loop), 0,          &loopCount,     &loopCurrent, &loopNow,
        &loopSetHooks,     &loopWatch, &loopRewatch,   &loopUnwatch, &loopStartTimer,
        &loopStopTimer,    &loopPost,  &loopRequestEnd};
    return &kLoop;
  }

 private:
  struct Call {
    sub0_loop_callback callback;
    void* user;
  };
  struct Timer {
    uint64_t at_ns;
    Call call;
  };
  struct Watch {
    int32_t descriptor;
    uint32_t events;
    sub0_ready_callback callback;
    void* user;
  };
  static FakeLoop& of(const sub0_host* host) {
    return *reinterpret_cast<const FakeTable*>(host)->loop;
  }

  static uint32_t loopCount(const sub0_host*) { return 1; }
  static int32_t loopCurrent(const sub0_host* host) {
    return std::this_thread::get_id() == of(host).thread_ ? 0 : -1;
  }
  static uint64_t loopNow(const sub0_host* host) { return of(host).now_ns; }
  static int32_t loopSetHooks(const sub0_host* host, const sub0_loop_hooks* hooks, void* user) {
    if (of(host).hooks_ != nullptr) return SUB0_WRONG_STATE;
    of(host).hooks_ = hooks;
    of(host).hooks_user_ = user;
    return SUB0_OK;
  }
  static int32_t loopWatch(const sub0_host* host, int32_t descriptor, uint32_t events,
                           sub0_ready_callback callback, void* user, uint64_t* handle) {
    *handle = ++of(host).last_handle_;
    of(host).watches_[*handle] = {descriptor, events, callback, user};
    return SUB0_OK;
  }
  static int32_t loopRewatch(const sub0_host* host, uint64_t handle, uint32_t events) {
    const auto found = of(host).watches_.find(handle);
    if (found == of(host).watches_.end()) return SUB0_INVALID_ARGUMENT;
    found->second.events = events;
    return SUB0_OK;
  }
  static int32_t loopUnwatch(const sub0_host* host, uint64_t handle) {
    return of(host).watches_.erase(handle) == 1 ? SUB0_OK : SUB0_INVALID_ARGUMENT;
  }
  static int32_t loopStartTimer(const sub0_host* host, uint64_t delay_ms,
                                sub0_loop_callback callback, void* user, uint64_t* handle) {
    *handle = ++of(host).last_handle_;
    of(host).timers_[*handle] = {of(host).now_ns + delay_ms * 1'000'000, {callback, user}};
    return SUB0_OK;
  }
  static int32_t loopStopTimer(const sub0_host* host, uint64_t handle) {
    return of(host).timers_.erase(handle) == 1 ? SUB0_OK : SUB0_STALE_TICKET;
  }
  static int32_t loopPost(const sub0_host* host, uint32_t loop, sub0_loop_callback callback,
                          void* user) {
    if (loop != 0) return SUB0_INVALID_ARGUMENT;
    std::lock_guard<std::mutex> lock(of(host).posts_mutex_);
    of(host).posts_.push_back({callback, user});
    return SUB0_OK;
  }
  static int32_t loopRequestEnd(const sub0_host* host) {
    of(host).wants_end_of_turn_ = true;
    return SUB0_OK;
  }
  std::deque<Call> takePosts() {
    std::lock_guard<std::mutex> lock(posts_mutex_);
    return std::exchange(posts_, {});
  }

  const sub0_loop_hooks* hooks_ = nullptr;
  void* hooks_user_ = nullptr;
  const std::thread::id thread_ = std::this_thread::get_id();
  std::mutex posts_mutex_;
  std::deque<Call> posts_;
  std::map<uint64_t, Timer> timers_;
  std::map<uint64_t, Watch> watches_;
  uint64_t last_handle_ = 0;
  bool wants_end_of_turn_ = false;
};

}  // namespace sub0::testing
