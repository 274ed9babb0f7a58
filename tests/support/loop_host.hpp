// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/call.h>
#include <sub0/loop.h>
#include <sub0/pool.h>
#include <sub0/plugin.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sub0::testing {

// A host for plugins that talk to real servers: one loop on poll(2) with the real clock, turned by
// the test's thread. Where FakeHost plays the world, this one meets it: descriptors become ready
// because a database answered. Results are kept as JSON text. Ends may come from any thread,
// everything else belongs to the test's. Waiting is bounded.
struct LoopEnd {
  int times = 0;
  int32_t code = SUB0_OK;
  std::string json;  // of a success
  std::string client, log;
};

class LoopHost;

class LoopAction {
 public:
  ~LoopAction();
  bool isReady() const { return action_ != nullptr; }
  // "pointer: text", a line each.
  std::string errors, warnings;
  std::map<std::string, std::string> facts;  // name → JSON
  std::vector<std::string> inputs;           // the pointers that were declared

 private:
  friend class LoopHost;
  const sub0_handler* handler_ = nullptr;
  void* action_ = nullptr;
};

class LoopHost {
 public:
  // Creates the plugin; `create_code` says how that went.
  LoopHost(const sub0_plugin* plugin, const Tree& settings);
  ~LoopHost();
  LoopHost(const LoopHost&) = delete;
  LoopHost& operator=(const LoopHost&) = delete;

  void start();
  // Stops it, with so much time left; else the end of the host does.
  void stop(uint64_t limit_ms);
  std::unique_ptr<LoopAction> prepare(const Tree& config, const Tree& action = Tree::object(),
                                      const Tree& resource = Tree::object());
  // Begins a run; the values are its inputs, in the order of declaration.
  sub0_ticket begin(LoopAction& action, const std::vector<Tree>& values = {}, uint32_t flags = 0,
                    uint64_t deadline_ms = 20000);
  // The same as a part of the transaction of that call (sub0.call/1).
  sub0_ticket beginInCall(uint64_t call_id, LoopAction& action,
                          const std::vector<Tree>& values = {}, uint64_t deadline_ms = 20000);
  sub0_ticket beginCommit(uint64_t call_id, uint64_t deadline_ms = 20000);
  void rollback(uint64_t call_id);
  void cancel(LoopAction& action, sub0_ticket ticket);
  LoopEnd end(sub0_ticket ticket);
  // Turns the loop until the run has ended; fails the test after 20 s.
  LoopEnd wait(sub0_ticket ticket);
  LoopEnd run(LoopAction& action, const std::vector<Tree>& values = {}, uint32_t flags = 0);
  // Turns the loop until `done`; false after `limit_ms`.
  bool turnUntil(const std::function<bool()>& done, uint64_t limit_ms = 20000);
  void turn(int wait_ms);
  bool hasLogged(const std::string& part);
  std::string allLogs();

  const void* extension(const char* name) const { return plugin_->extension(self_, name); }
  void* self() const { return self_; }
  int32_t create_code = SUB0_OK;
  int32_t start_code = SUB0_OK;

 private:
  struct Table {
    sub0_host host;
    LoopHost* self;
  };
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
  struct Running {
    std::vector<Tree> trees;
    std::vector<sub0_value> values;
    sub0_run run;
  };
  Running& makeRunning(const std::vector<Tree>& values, uint32_t flags, uint64_t deadline_ms);
  static LoopHost& of(const sub0_host* host) { return *reinterpret_cast<const Table*>(host)->self; }
  static const sub0_loop* loopTable();
  static const void* findExtension(const sub0_host* host, const char* name);
  static int32_t settle(const sub0_host* host, sub0_ticket ticket, const LoopEnd& end);
  void runTimers();
  void runReady(int wait_ms);
  void runPosts();
  void wake();

  Table table_{};
  const sub0_plugin* plugin_;
  void* self_ = nullptr;
  bool is_started_ = false;
  const std::thread::id thread_ = std::this_thread::get_id();
  const sub0_loop_hooks* hooks_ = nullptr;
  void* hooks_user_ = nullptr;
  const sub0_call_hooks* call_hooks_ = nullptr;
  void* call_hooks_user_ = nullptr;
  std::map<uint64_t, Timer> timers_;
  std::map<uint64_t, Watch> watches_;
  uint64_t last_handle_ = 0;
  bool wants_end_of_turn_ = false;
  int wake_descriptor_;
  std::vector<std::thread> pool_;
  std::map<sub0_ticket, std::unique_ptr<Running>> running_;
  sub0_ticket last_ticket_ = 0;
  std::mutex mutex_;
  std::deque<Call> posts_;
  std::map<sub0_ticket, LoopEnd> ends_;
  std::string logs_;
};

// A value as JSON text.
std::string toJson(const sub0_value& value);

}  // namespace sub0::testing
