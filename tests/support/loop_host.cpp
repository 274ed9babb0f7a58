// SPDX-License-Identifier: Apache-2.0
#include "tests/support/loop_host.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace sub0::testing {
namespace {

uint64_t nowNs() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

void appendText(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
}

struct Preparing {
  sub0_preparation raw;
  LoopAction* made;
};

Preparing& preparingOf(sub0_preparation* p) { return *reinterpret_cast<Preparing*>(p); }

int32_t declareInput(sub0_preparation* p, const sub0_text_view* pointer, uint32_t rule) {
  preparingOf(p).made->inputs.push_back(std::string(stringView(*pointer)) +
                                        (rule == SUB0_RULE_PARAMETER ? "" : " template"));
  return static_cast<int32_t>(preparingOf(p).made->inputs.size()) - 1;
}

void report(std::string& list, const sub0_text_view* pointer, const sub0_text_view* text) {
  list.append(stringView(*pointer)).append(": ").append(stringView(*text)).append("\n");
}

}  // namespace

std::string toJson(const sub0_value& value) {
  std::string out;
  switch (value.type) {
    case SUB0_NULL:
      return "null";
    case SUB0_BOOL:
      return value.as.i != 0 ? "true" : "false";
    case SUB0_INT:
      return std::to_string(value.as.i);
    case SUB0_DOUBLE:
      return Value(value).toText();
    case SUB0_TEXT:
      appendText(out, Value(value).asText());
      return out;
    case SUB0_ARRAY:
      for (uint32_t i = 0; i < value.count; ++i) {
        out += (i > 0 ? "," : "") + toJson(value.as.items[i]);
      }
      return "[" + out + "]";
    case SUB0_OBJECT:
      for (uint32_t i = 0; i < value.count; ++i) {
        out += i > 0 ? "," : "";
        appendText(out, stringView(value.as.members[i].key));
        out += ":" + toJson(value.as.members[i].value);
      }
      return "{" + out + "}";
    default:
      return std::string(value.as.text, value.count);
  }
}

LoopAction::~LoopAction() {
  if (action_ != nullptr) {
    handler_->release(action_);
  }
}

LoopHost::LoopHost(const sub0_plugin* plugin, const Tree& settings)
    : plugin_(plugin), wake_descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  table_.self = this;
  table_.host = {sizeof(sub0_host),
                 SUB0_ABI_MINOR,
                 [](const sub0_host* host, sub0_ticket ticket, const sub0_value* value) {
                   return settle(host, ticket, LoopEnd{0, SUB0_OK, toJson(*value), "", ""});
                 },
                 [](const sub0_host* host, sub0_ticket ticket, const sub0_blob* blob) {
                   const int32_t code =
                       settle(host, ticket, LoopEnd{0, SUB0_OK, toJson(*blob->value), "", ""});
                   blob->release(blob->owner);
                   return code;
                 },
                 [](const sub0_host* host, sub0_ticket ticket, const sub0_error* error) {
                   return settle(host, ticket,
                                 LoopEnd{0, error->code, "", std::string(stringView(error->client)),
                                         std::string(stringView(error->log))});
                 },
                 [](const sub0_host* host, int32_t level, const sub0_text_view* text) {
                   const std::lock_guard lock(of(host).mutex_);
                   of(host).logs_ +=
                       std::to_string(level) + " " + std::string(stringView(*text)) + "\n";
                 },
                 &LoopHost::findExtension};
  create_code = plugin_->create(&table_.host, &settings.raw(), &self_);
}

LoopHost::~LoopHost() {
  stop(2000);
  for (std::thread& thread : pool_) {
    thread.join();
  }
  if (self_ != nullptr) {
    plugin_->destroy(self_);
  }
  close(wake_descriptor_);
}

void LoopHost::stop(uint64_t limit_ms) {
  if (is_started_) {
    is_started_ = false;
    plugin_->stop(self_, nowNs() + limit_ms * 1'000'000);
    if (hooks_ != nullptr) {
      hooks_->loop_stop(hooks_user_, 0);
    }
  }
}

void LoopHost::start() {
  start_code = plugin_->start(self_);
  is_started_ = start_code == SUB0_OK;
  if (is_started_ && hooks_ != nullptr) {
    hooks_->loop_start(hooks_user_, 0);
  }
}

std::unique_ptr<LoopAction> LoopHost::prepare(const Tree& config, const Tree& action,
                                              const Tree& resource) {
  auto made = std::make_unique<LoopAction>();
  Preparing preparing{
      {sizeof(sub0_preparation), 0, &action.raw(), &resource.raw(), &declareInput,
       [](sub0_preparation* p, const sub0_text_view* text) {
         return declareInput(p, text, SUB0_RULE_TEMPLATE);
       },
       [](sub0_preparation*, uint32_t) {},
       [](sub0_preparation* p, const sub0_text_view* name, const sub0_value* value) {
         preparingOf(p).made->facts[std::string(stringView(*name))] = toJson(*value);
       },
       [](sub0_preparation* p, const sub0_text_view* pointer, const sub0_text_view* text) {
         report(preparingOf(p).made->errors, pointer, text);
       },
       [](sub0_preparation* p, const sub0_text_view* pointer, const sub0_text_view* text) {
         report(preparingOf(p).made->warnings, pointer, text);
       }},
      made.get()};
  made->handler_ = plugin_->handlers[0];
  made->handler_->prepare(self_, &preparing.raw, &config.raw(), &made->action_);
  return made;
}

LoopHost::Running& LoopHost::makeRunning(const std::vector<Tree>& values, uint32_t flags,
                                         uint64_t deadline_ms) {
  auto running = std::make_unique<Running>();
  running->trees = values;
  for (const Tree& tree : running->trees) {
    running->values.push_back(tree.raw());
  }
  const sub0_ticket ticket = ++last_ticket_;
  running->run = sub0_run{};
  running->run.struct_size = sizeof(sub0_run);
  running->run.input_count = static_cast<uint32_t>(values.size());
  running->run.ticket = ticket;
  running->run.inputs = running->values.data();
  running->run.deadline_ns = nowNs() + deadline_ms * 1'000'000;
  running->run.call_id = ticket;
  running->run.flags = flags;
  {
    const std::lock_guard lock(mutex_);
    ends_[ticket];
  }
  return *(running_[ticket] = std::move(running));
}

sub0_ticket LoopHost::begin(LoopAction& action, const std::vector<Tree>& values, uint32_t flags,
                            uint64_t deadline_ms) {
  const sub0_run& run = makeRunning(values, flags, deadline_ms).run;
  action.handler_->run(action.action_, &run);
  return run.ticket;
}

sub0_ticket LoopHost::beginInCall(uint64_t call_id, LoopAction& action,
                                  const std::vector<Tree>& values, uint64_t deadline_ms) {
  sub0_run& run = makeRunning(values, SUB0_RUN_IN_TRANSACTION, deadline_ms).run;
  run.call_id = call_id;
  action.handler_->run(action.action_, &run);
  return run.ticket;
}

sub0_ticket LoopHost::beginCommit(uint64_t call_id, uint64_t deadline_ms) {
  sub0_run& run = makeRunning({}, SUB0_RUN_IN_TRANSACTION, deadline_ms).run;
  run.call_id = call_id;
  call_hooks_->commit(call_hooks_user_, &run);
  return run.ticket;
}

void LoopHost::rollback(uint64_t call_id) { call_hooks_->rollback(call_hooks_user_, call_id); }

void LoopHost::cancel(LoopAction& action, sub0_ticket ticket) {
  action.handler_->cancel(action.action_, ticket);
}

LoopEnd LoopHost::end(sub0_ticket ticket) {
  const std::lock_guard lock(mutex_);
  return ends_[ticket];
}

LoopEnd LoopHost::wait(sub0_ticket ticket) {
  if (!turnUntil([&] { return end(ticket).times > 0; })) {
    ADD_FAILURE() << "a run did not end; the log:\n" << allLogs();
  }
  if (wants_end_of_turn_) {  // the turn in which it ended ends as well
    turn(0);
  }
  return end(ticket);
}

LoopEnd LoopHost::run(LoopAction& action, const std::vector<Tree>& values, uint32_t flags) {
  return wait(begin(action, values, flags));
}

bool LoopHost::turnUntil(const std::function<bool()>& done, uint64_t limit_ms) {
  const uint64_t until_ns = nowNs() + limit_ms * 1'000'000;
  while (!done()) {
    if (nowNs() > until_ns) {
      return false;
    }
    turn(wants_end_of_turn_ ? 0 : 20);
  }
  return true;
}

void LoopHost::turn(int wait_ms) {
  runTimers();
  runReady(wait_ms);
  runPosts();
  if (std::exchange(wants_end_of_turn_, false) && hooks_ != nullptr) {
    hooks_->end_of_turn(hooks_user_, 0);
  }
}

void LoopHost::runTimers() {
  for (auto timer = timers_.begin(); timer != timers_.end();) {
    if (timer->second.at_ns > nowNs()) {
      ++timer;
      continue;
    }
    const Call call = timer->second.call;
    timers_.erase(timer);
    call.callback(call.user);
    timer = timers_.begin();
  }
}

void LoopHost::runReady(int wait_ms) {
  std::vector<pollfd> descriptors{{wake_descriptor_, POLLIN, 0}};
  std::vector<uint64_t> handles{0};
  for (const auto& [handle, watch] : watches_) {
    const int events = ((watch.events & SUB0_READABLE) != 0 ? POLLIN : 0) |
                       ((watch.events & SUB0_WRITABLE) != 0 ? POLLOUT : 0);
    descriptors.push_back({watch.descriptor, static_cast<short>(events), 0});
    handles.push_back(handle);
  }
  for (const auto& [handle, timer] : timers_) {
    const uint64_t now = nowNs();
    const uint64_t left = timer.at_ns > now ? (timer.at_ns - now) / 1'000'000 + 1 : 0;
    wait_ms = std::min(wait_ms, static_cast<int>(left));
  }
  poll(descriptors.data(), descriptors.size(), wait_ms);
  uint64_t wakes = 0;
  while (read(wake_descriptor_, &wakes, sizeof wakes) > 0) {
  }
  for (size_t i = 1; i < descriptors.size(); ++i) {
    const auto found = watches_.find(handles[i]);
    const int seen = descriptors[i].revents;
    if (seen == 0 || found == watches_.end()) {
      continue;
    }
    const Watch watch = found->second;
    watch.callback(watch.user, ((seen & POLLIN) != 0 ? SUB0_READABLE : 0) |
                                   ((seen & POLLOUT) != 0 ? SUB0_WRITABLE : 0) |
                                   ((seen & (POLLHUP | POLLERR)) != 0 ? SUB0_HANGUP : 0));
  }
}

void LoopHost::runPosts() {
  std::deque<Call> posts;
  {
    const std::lock_guard lock(mutex_);
    posts.swap(posts_);
  }
  for (const Call& call : posts) {
    call.callback(call.user);
  }
}

void LoopHost::wake() {
  const uint64_t one = 1;
  if (write(wake_descriptor_, &one, sizeof one) < 0) {
    ADD_FAILURE() << "eventfd";
  }
}

bool LoopHost::hasLogged(const std::string& part) {
  return allLogs().find(part) != std::string::npos;
}

std::string LoopHost::allLogs() {
  const std::lock_guard lock(mutex_);
  return logs_;
}

int32_t LoopHost::settle(const sub0_host* host, sub0_ticket ticket, const LoopEnd& end) {
  LoopHost& self = of(host);
  const std::lock_guard lock(self.mutex_);
  LoopEnd& kept = self.ends_[ticket];
  if (++kept.times > 1) {
    return SUB0_STALE_TICKET;
  }
  kept = end;
  kept.times = 1;
  self.wake();
  return SUB0_OK;
}

const void* LoopHost::findExtension(const sub0_host*, const char* name) {
  static const sub0_pool pool = {sizeof(sub0_pool), 0,
                                 [](const sub0_host* host, sub0_pool_callback work, void* user) {
                                   of(host).pool_.emplace_back(work, user);
                                   return SUB0_OK;
                                 }};
  static const sub0_call call = {
      sizeof(sub0_call), 0, [](const sub0_host* host, const sub0_call_hooks* hooks, void* user) {
        of(host).call_hooks_ = hooks;
        of(host).call_hooks_user_ = user;
        return SUB0_OK;
      }};
  if (std::string_view(name) == SUB0_POOL_EXTENSION) {
    return &pool;
  }
  if (std::string_view(name) == SUB0_CALL_EXTENSION) {
    return &call;
  }
  return std::string_view(name) == SUB0_LOOP_EXTENSION ? loopTable() : nullptr;
}

const sub0_loop* LoopHost::loopTable() {
  static const sub0_loop loop = {
      sizeof(sub0_loop),
      0,
      [](const sub0_host*) -> uint32_t { return 1; },
      [](const sub0_host* host) -> int32_t {
        return std::this_thread::get_id() == of(host).thread_ ? 0 : -1;
      },
      [](const sub0_host*) { return nowNs(); },
      [](const sub0_host* host, const sub0_loop_hooks* hooks, void* user) {
        of(host).hooks_ = hooks;
        of(host).hooks_user_ = user;
        return SUB0_OK;
      },
      [](const sub0_host* host, int32_t descriptor, uint32_t events, sub0_ready_callback callback,
         void* user, uint64_t* handle) {
        *handle = ++of(host).last_handle_;
        of(host).watches_[*handle] = {descriptor, events, callback, user};
        return SUB0_OK;
      },
      [](const sub0_host* host, uint64_t handle, uint32_t events) {
        of(host).watches_.at(handle).events = events;
        return SUB0_OK;
      },
      [](const sub0_host* host, uint64_t handle) {
        return of(host).watches_.erase(handle) == 1 ? SUB0_OK : SUB0_INVALID_ARGUMENT;
      },
      [](const sub0_host* host, uint64_t delay_ms, sub0_loop_callback callback, void* user,
         uint64_t* handle) {
        *handle = ++of(host).last_handle_;
        of(host).timers_[*handle] = {nowNs() + delay_ms * 1'000'000, {callback, user}};
        return SUB0_OK;
      },
      [](const sub0_host* host, uint64_t handle) {
        return of(host).timers_.erase(handle) == 1 ? SUB0_OK : SUB0_STALE_TICKET;
      },
      [](const sub0_host* host, uint32_t, sub0_loop_callback callback, void* user) {
        {
          const std::lock_guard lock(of(host).mutex_);
          of(host).posts_.push_back({callback, user});
        }
        of(host).wake();
        return SUB0_OK;
      },
      [](const sub0_host* host) {
        of(host).wants_end_of_turn_ = true;
        return SUB0_OK;
      }};
  return &loop;
}

}  // namespace sub0::testing
