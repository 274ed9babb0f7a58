// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a plugin in a unit test, without a host. It loads a descriptor, creates it with settings,
// prepares an action from a configuration written with the SDK's values, runs it and keeps the end:
//
//   sub0::testing::FakeHost host(sub0_plugin_v0());
//   auto greeting = host.prepare("GREETING", {{"name", "$PAYLOAD.name"}});
//   greeting.give("$PAYLOAD.name", "Ada");
//   auto end = greeting.run();
//   assert(end.value.find("text").asText() == "Hello Ada");
//
// An input is the template as it stands in the configuration, unless give() names its value; what
// the host would do with accessors, rules and schemas is not imitated. sub0.loop/1: fake_loop.hpp.
// sub0.pool/1 works on the test's thread, at the next joinPool() or in FakeAction::run (never
// inside the plugin's call), or on a thread for each piece. sub0.broadcast/1 records.
// THREAD: ends may come from any thread, everything else belongs to the test's.
// ERRORS: std::logic_error for a test that asks for what is not there.

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include <sub0/broadcast.h>
#include <sub0/call.h>
#include <sub0/pool.h>
#include <sub0/plugin/run.hpp>
#include "fake_loop.hpp"

namespace sub0::testing {

// How a run ended; `times` counts every attempt, so 2 is a fault of the handler.
struct End {
  int times = 0;
  int32_t code = SUB0_OK;
  Tree value;
  std::string client;
  std::string log;
  bool came() const { return times > 0; }
  bool isOk() const { return times == 1 && code == SUB0_OK; }
};

struct Report {
  std::string pointer;
  std::string text;
};

struct Broadcast {
  sub0_ticket ticket = 0;
  uint32_t type = 0;
  uint32_t flags = 0;
  std::string action;
  bool has_recipients = false;  // false: `to` was null, so the caller
  Tree to;
  Tree data;
};

struct FakeOptions {
  bool pool_threads = false;      // the pool's work runs on threads of its own
  bool with_start = true;         // false: as `sub0-host check` does
  std::string missing_extension;  // of that name the host has none
};

class FakeHost;

// One prepared action. REQUIRES: does not outlive its FakeHost.
class FakeAction {
 public:
  FakeAction(FakeAction&& other) noexcept
      : host_(other.host_),
        handler_(other.handler_),
        action_(std::exchange(other.action_, nullptr)) {
    std::swap(code, other.code);
    errors.swap(other.errors);
    warnings.swap(other.warnings);
    facts.swap(other.facts);
    std::swap(placement, other.placement);
    inputs_.swap(other.inputs_);
    pointers.swap(other.pointers);
    given_.swap(other.given_);
  }
  ~FakeAction() {
    if (action_ != nullptr) handler_->release(action_);
  }

  bool isReady() const { return action_ != nullptr; }
  // From now on an input whose template is this text, or that was declared by this pointer, is this
  // value. Of an effect, "result" is the result of its action.
  void give(const std::string& template_or_pointer, Tree value) {
    given_[template_or_pointer] = std::move(value);
  }
  // Runs it; the end may be still to come (FakeHost::wait, turn).
  sub0_ticket begin();
  // Runs it and returns its end, after the pool's work and up to 100 turns of the loop.
  End run();
  void cancel(sub0_ticket ticket) { handler_->cancel(action_, ticket); }
  const sub0_handler& handler() const { return *handler_; }

  // What prepare said.
  int32_t code = SUB0_OK;
  std::vector<Report> errors, warnings;
  std::map<std::string, Tree> facts;
  std::vector<std::string> pointers;  // of the declared inputs; of input_of: "= template"
  uint32_t placement = 0;
  // What the next runs carry.
  std::string uid, resource = "test", label;
  bool has_uid = false;
  uint32_t run_flags = 0;
  uint64_t call_id = 0;  // 0: each run is a call of its own
  uint64_t deadline_ns = 30'000'000'000;

 private:
  friend class FakeHost;
  FakeAction(FakeHost* host, const sub0_handler* handler) : host_(host), handler_(handler) {}
  Tree evaluate(size_t index) const;

  FakeHost* host_;
  const sub0_handler* handler_;
  void* action_ = nullptr;
  std::vector<Tree> inputs_;
  std::map<std::string, Tree> given_;
};

class FakeHost : public FakeLoop {
 public:
  // REQUIRES: the descriptor's create succeeds; else `create_code` says so and nothing may be run.
  explicit FakeHost(const sub0_plugin* plugin, const Tree& settings = Tree(),
                    FakeOptions options = {})
      : options_(std::move(options)), plugin_(plugin) {
    table_ = {
        {sizeof(sub0_host), SUB0_ABI_MINOR, &complete, &completeBlob, &fail, &log, &extension},
        this,
        this};
    const Tree all = resolve(settings);
    create_code = plugin_->create(&table_.host, &all.raw(), &self_);
    if (create_code == SUB0_OK && options_.with_start) start_code = plugin_->start(self_);
    is_started_ = create_code == SUB0_OK && options_.with_start && start_code == SUB0_OK;
    if (is_started_) startLoop();
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;
  ~FakeHost() {
    if (is_started_) plugin_->stop(self_, now_ns + 1'000'000'000);
    if (is_started_) stopLoop();
    joinPool();
    if (self_ != nullptr) plugin_->destroy(self_);
  }

  // Prepares the mode or effect of that name with the value of its key.
  FakeAction prepare(std::string_view name, const Tree& config, const Tree& action = Tree::object(),
                     const Tree& resource = Tree::object()) {
    FakeAction made(this, &handler(name));
    Preparing preparing = {{sizeof(sub0_preparation), 0, &action.raw(), &resource.raw(), &input,
                            &inputOf, &place, &fact, &error, &warning},
                           &made,
                           &config.raw()};
    made.placement = made.handler_->placement;
    if (made.handler_->kind == SUB0_EFFECT) {
      made.inputs_.emplace_back();
      made.pointers.emplace_back("result");
    }
    made.code = made.handler_->prepare(self_, &preparing.raw, &config.raw(), &made.action_);
    return made;
  }
  const sub0_handler& handler(std::string_view name) const {
    for (uint32_t i = 0; i < plugin_->handler_count; ++i)
      if (stringView(plugin_->handlers[i]->name) == name) return *plugin_->handlers[i];
    throw std::logic_error("no handler " + std::string(name));
  }

  // sub0.call/1: has the plugin commit a call (FakeAction::call_id); the end is that of the ticket.
  sub0_ticket commit(uint64_t call_id) {
    if (call_hooks_ == nullptr)
      throw std::logic_error("the plugin has set no hooks of sub0.call/1");
    auto running = std::make_unique<Running>();
    const sub0_ticket ticket = ++last_ticket_;
    running->run.struct_size = sizeof(sub0_run);
    running->run.ticket = ticket;
    running->run.deadline_ns = now_ns + 30'000'000'000;
    running->run.call_id = call_id;
    const sub0_run* run = &running->run;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ends_[ticket];
      running_[ticket] = std::move(running);
    }
    call_hooks_->commit(call_hooks_user_, run);
    return ticket;
  }
  void rollback(uint64_t call_id) { call_hooks_->rollback(call_hooks_user_, call_id); }

  // The end of a run as far as it has come.
  End end(sub0_ticket ticket) const {
    std::lock_guard<std::mutex> lock(mutex_);
    return ends_.at(ticket);
  }
  // Waits for an end that another thread brings.
  End wait(sub0_ticket ticket) {
    std::unique_lock<std::mutex> lock(mutex_);
    ended_.wait(lock, [&] { return ends_.at(ticket).came(); });
    return ends_.at(ticket);
  }
  // Does the pool's work that waits, and waits for its threads.
  void joinPool() {
    for (Work work = takeWork(); !work.calls.empty() || !work.threads.empty(); work = takeWork()) {
      for (const auto& [call, user] : work.calls) call(user);
      for (std::thread& thread : work.threads) thread.join();
    }
  }
  const void* pluginExtension(const char* name) const { return plugin_->extension(self_, name); }
  void* self() const { return self_; }

  int32_t create_code = SUB0_OK, start_code = SUB0_OK;
  std::vector<std::string> logs;  // "<level> text"
  std::vector<Broadcast> broadcasts;
  uint64_t recipients = 1;           // what the next broadcasts answer
  int32_t broadcast_code = SUB0_OK;  // the same

 private:
  friend class FakeAction;
  struct Preparing {
    sub0_preparation raw;
    FakeAction* made;
    const sub0_value* config;
  };
  // What a run borrows, for as long as it may.
  struct Running {
    std::vector<Tree> trees;
    std::vector<sub0_value> inputs;
    std::string uid, resource, label;
    sub0_run run;
  };

  struct Work {
    std::vector<std::pair<sub0_pool_callback, void*>> calls;
    std::vector<std::thread> threads;
  };

  static FakeHost& of(const sub0_host* host) {
    return *reinterpret_cast<const FakeTable*>(host)->self;
  }
  static Preparing& of(sub0_preparation* p) { return *reinterpret_cast<Preparing*>(p); }

  Tree resolve(const Tree& given) const {
    Tree all = Tree::object();
    for (uint32_t i = 0; i < plugin_->setting_count; ++i) {
      const sub0_setting& setting = *plugin_->settings[i];
      const std::string text(stringView(setting.default_value));
      if (setting.type == SUB0_INT)
        all.set(stringView(setting.name), Literal(std::strtoll(text.c_str(), nullptr, 10)));
      else if (setting.type == SUB0_BOOL)
        all.set(stringView(setting.name), Literal(text == "true"));
      else
        all.set(stringView(setting.name), Literal(text));
    }
    for (Member member : given.view().members()) all.set(member.key, Tree(member.value));
    return all;
  }

  template <class Set>
  static int32_t settle(const sub0_host* host, sub0_ticket ticket, Set set) {
    FakeHost& self = of(host);
    std::lock_guard<std::mutex> lock(self.mutex_);
    const auto found = self.ends_.find(ticket);
    if (found == self.ends_.end() || found->second.times++ > 0) return SUB0_STALE_TICKET;
    set(found->second);
    self.ended_.notify_all();
    return SUB0_OK;
  }
  static int32_t complete(const sub0_host* host, sub0_ticket ticket, const sub0_value* copied) {
    return settle(host, ticket, [&](End& end) { end.value = Tree(Value(copied)); });
  }
  static int32_t completeBlob(const sub0_host* host, sub0_ticket ticket, const sub0_blob* taken) {
    const sub0_blob blob = *taken;
    const int32_t code = complete(host, ticket, blob.value);
    if (blob.release != nullptr) blob.release(blob.owner);
    return code;
  }
  static int32_t fail(const sub0_host* host, sub0_ticket ticket, const sub0_error* error) {
    return settle(host, ticket, [&](End& end) {
      end.code = error->code;
      end.client = stringView(error->client);
      end.log = stringView(error->log);
    });
  }
  static void log(const sub0_host* host, int32_t level, const sub0_text_view* text) {
    std::lock_guard<std::mutex> lock(of(host).mutex_);
    of(host).logs.push_back(std::to_string(level) + " " + std::string(stringView(*text)));
  }
  static const void* extension(const sub0_host* host, const char* name) {
    static const sub0_pool kPool = {sizeof(sub0_pool), 0, &poolSubmit};
    static const sub0_broadcast kBroadcast = {sizeof(sub0_broadcast), 0, &broadcastSend};
    static const sub0_call kCall = {sizeof(sub0_call), 0, &setCallHooks};
    const std::string_view wanted(name);
    if (wanted == of(host).options_.missing_extension) return nullptr;
    if (wanted == SUB0_LOOP_EXTENSION) return FakeLoop::table();
    if (wanted == SUB0_POOL_EXTENSION) return &kPool;
    if (wanted == SUB0_BROADCAST_EXTENSION) return &kBroadcast;
    if (wanted == SUB0_CALL_EXTENSION) return &kCall;
    return nullptr;
  }

  static Value at(Value value, std::string_view pointer) {
    while (!pointer.empty() && value) {
      pointer.remove_prefix(1);
      const std::string_view token = pointer.substr(0, pointer.find('/'));
      pointer.remove_prefix(token.size());
      if (value.isArray()) {
        const size_t index = std::strtoul(std::string(token).c_str(), nullptr, 10);
        value = index < value.size() ? value[index] : Value();
        continue;
      }
      Value next;
      for (Member member : value.members())
        if (Preparation::pointerTo(member.key).substr(1) == token) next = member.value;
      value = next;
    }
    return value;
  }
  static int32_t input(sub0_preparation* p, const sub0_text_view* pointer, uint32_t) {
    Preparing& preparing = of(p);
    const Value found = at(Value(preparing.config), stringView(*pointer));
    if (!found) {
      error(p, pointer, pointer);
      return -1;
    }
    preparing.made->inputs_.emplace_back(found);
    preparing.made->pointers.emplace_back(stringView(*pointer));
    return static_cast<int32_t>(preparing.made->inputs_.size()) - 1;
  }
  static int32_t inputOf(sub0_preparation* p, const sub0_text_view* text) {
    FakeAction& made = *of(p).made;
    made.inputs_.emplace_back(Literal(stringView(*text)));
    made.pointers.push_back("= " + std::string(stringView(*text)));
    return static_cast<int32_t>(made.inputs_.size()) - 1;
  }
  static void place(sub0_preparation* p, uint32_t placement) { of(p).made->placement = placement; }
  static void fact(sub0_preparation* p, const sub0_text_view* name, const sub0_value* value) {
    of(p).made->facts[std::string(stringView(*name))] = Tree(Value(value));
  }
  static void error(sub0_preparation* p, const sub0_text_view* pointer,
                    const sub0_text_view* text) {
    of(p).made->errors.push_back(
        {std::string(stringView(*pointer)), std::string(stringView(*text))});
  }
  static void warning(sub0_preparation* p, const sub0_text_view* pointer,
                      const sub0_text_view* text) {
    of(p).made->warnings.push_back(
        {std::string(stringView(*pointer)), std::string(stringView(*text))});
  }

  static int32_t setCallHooks(const sub0_host* host, const sub0_call_hooks* hooks, void* user) {
    FakeHost& self = of(host);
    if (self.call_hooks_ != nullptr || self.is_started_) return SUB0_WRONG_STATE;
    self.call_hooks_ = hooks;
    self.call_hooks_user_ = user;
    return SUB0_OK;
  }
  static int32_t poolSubmit(const sub0_host* host, sub0_pool_callback call, void* user) {
    FakeHost& self = of(host);
    std::lock_guard<std::mutex> lock(self.mutex_);
    if (!self.options_.pool_threads) self.work_.calls.emplace_back(call, user);
    if (self.options_.pool_threads) self.work_.threads.emplace_back(call, user);
    return SUB0_OK;
  }
  static int32_t broadcastSend(const sub0_host* host, sub0_ticket ticket,
                               const sub0_broadcast_message* message, uint64_t* recipients) {
    FakeHost& self = of(host);
    if (self.broadcast_code != SUB0_OK) return self.broadcast_code;
    if (self.end(ticket).came()) return SUB0_STALE_TICKET;
    self.broadcasts.push_back({ticket, message->type, message->flags,
                               std::string(stringView(message->action)), message->to != nullptr,
                               Tree(Value(message->to)), Tree(Value(message->data))});
    *recipients = self.recipients;
    return SUB0_OK;
  }

  Work takeWork() {
    std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(work_, {});
  }

  FakeOptions options_;
  bool is_started_ = false;
  FakeTable table_;
  const sub0_plugin* plugin_;
  void* self_ = nullptr;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::map<sub0_ticket, End> ends_;
  std::map<sub0_ticket, std::unique_ptr<Running>> running_;
  sub0_ticket last_ticket_ = 0;
  Work work_;
  const sub0_call_hooks* call_hooks_ = nullptr;
  void* call_hooks_user_ = nullptr;
};

inline Tree FakeAction::evaluate(size_t index) const {
  auto found = given_.find(pointers[index]);
  if (found == given_.end()) found = given_.find(inputs_[index].view().toText());
  if (found == given_.end() && pointers[index].substr(0, 2) == "= ")
    found = given_.find(pointers[index].substr(2));
  return found == given_.end() ? inputs_[index] : found->second;
}

inline sub0_ticket FakeAction::begin() {
  if (action_ == nullptr) throw std::logic_error("an action whose preparation failed cannot run");
  auto running = std::make_unique<FakeHost::Running>();
  for (size_t i = 0; i < inputs_.size(); ++i) running->trees.push_back(evaluate(i));
  for (const Tree& tree : running->trees) running->inputs.push_back(tree.raw());
  running->uid = uid;
  running->resource = resource;
  running->label = label;
  const sub0_ticket ticket = ++host_->last_ticket_;
  running->run = {sizeof(sub0_run),
                  static_cast<uint32_t>(running->inputs.size()),
                  ticket,
                  running->inputs.data(),
                  deadline_ns,
                  call_id == 0 ? ticket : call_id,
                  has_uid ? textView(running->uid) : sub0_text_view{nullptr, 0},
                  textView(running->resource),
                  textView(running->label),
                  run_flags,
                  0};
  const sub0_run* run = &running->run;
  {
    std::lock_guard<std::mutex> lock(host_->mutex_);
    host_->ends_[ticket];
    host_->running_[ticket] = std::move(running);
  }
  handler_->run(action_, run);
  std::lock_guard<std::mutex> lock(host_->mutex_);
  if (host_->ends_[ticket].came()) host_->running_.erase(ticket);  // nothing may point into it now
  return ticket;
}

inline End FakeAction::run() {
  const sub0_ticket ticket = begin();
  const bool ends_in_run = (handler_->flags & SUB0_COMPLETES_IN_RUN) != 0;
  if (ends_in_run && !host_->end(ticket).came())
    throw std::logic_error("a handler that declares COMPLETES_IN_RUN did not end its run");
  for (int turns = 0; turns < 100 && !host_->end(ticket).came(); ++turns) {
    host_->joinPool();
    host_->turn();
  }
  return host_->end(ticket);
}

}  // namespace sub0::testing
