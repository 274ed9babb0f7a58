// SPDX-License-Identifier: Apache-2.0
// The functions that plugins call: they find out who calls, check pointers, thread and state of
// life, and hand on. None calls a plugin inline, none throws (memory that is used up ends the
// process).
#include "plugin/host_functions.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "plugin/commits.hpp"
#include "plugin/crash_report.hpp"
#include "plugin/descriptor_check.hpp"
#include "plugin/faults.hpp"
#include "plugin/host_table.hpp"
#include "plugin/kept_error.hpp"
#include "plugin/loop_services.hpp"
#include "plugin/ticket_table.hpp"
#include "sub0/broadcast.h"
#include "sub0/call.h"
#include "sub0/loop.h"
#include "sub0/pool.h"

namespace sub0::plugin {
namespace {

constexpr std::size_t kMaxBroadcastBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxLogBytes = std::size_t{16} << 10;
constexpr std::uint32_t kInterests = SUB0_READABLE | SUB0_WRITABLE;

Plugin& pluginOf(const sub0_host* host) { return *static_cast<const PluginHost*>(host)->plugin; }

HostTable& tableOf(const sub0_host* host) {
  return *static_cast<const PluginHost*>(host)->shared.load(std::memory_order_acquire);
}

// ---- sub0_host

TicketTable* ticketsOf(const sub0_host* host, sub0_ticket ticket) {
  TicketTable* tickets = tableOf(host).ticketTable(TicketTable::loopOf(ticket));
  if (tickets == nullptr) pluginOf(host).stale_ends.fetch_add(1, std::memory_order_relaxed);
  return tickets;
}

int32_t onComplete(const sub0_host* host, sub0_ticket ticket, const sub0_value* copied) noexcept {
  TicketTable* tickets = ticketsOf(host, ticket);
  if (tickets == nullptr) return SUB0_STALE_TICKET;
  return tickets->endWithValue(pluginOf(host), ticket, copied);
}

int32_t onCompleteBlob(const sub0_host* host, sub0_ticket ticket, const sub0_blob* taken) noexcept {
  TicketTable* tickets = tableOf(host).ticketTable(TicketTable::loopOf(ticket));
  if (tickets != nullptr) return tickets->endWithBlob(pluginOf(host), ticket, taken);
  // No such loop: any other one releases it, outside of this call.
  tickets = ticketsOf(host, 0);
  if (tickets != nullptr) return tickets->endWithBlob(pluginOf(host), 0, taken);
  return SUB0_STALE_TICKET;
}

int32_t onFail(const sub0_host* host, sub0_ticket ticket, const sub0_error* copied) noexcept {
  TicketTable* tickets = ticketsOf(host, ticket);
  if (tickets == nullptr) return SUB0_STALE_TICKET;
  return tickets->endWithError(pluginOf(host), ticket, copied);
}

void onLog(const sub0_host* host, int32_t level, const sub0_text_view* text) noexcept {
  if (text == nullptr || (text->size != 0 && text->data == nullptr)) return;
  const bool is_level = level >= SUB0_LOG_ERROR && level <= SUB0_LOG_DEBUG;
  const auto known = is_level ? static_cast<log::Level>(level) : log::Level::kError;
  const std::string_view line = json::toText(*text).substr(0, kMaxLogBytes);
  Plugin& plugin = pluginOf(host);
  const CallFrame* frame = CallFrame::current();
  const bool is_its_own = frame != nullptr && frame->site().handler.plugin == &plugin;
  const CallSite& site = is_its_own ? frame->site() : plugin.callbacks.site;
  if (known == log::Level::kError && keepError(plugin, {&site, false, std::string(line)})) return;
  if (log::enabled(known)) logLine(known, "plugin", line, site);
}

const void* onExtension(const sub0_host* /*host*/, const char* name) noexcept {
  return name == nullptr ? nullptr : hostExtension(name);
}

// ---- sub0.loop/1

/// The loop whose thread this is, or null.
loop::Loop* currentLoop(const sub0_host* host) {
  loop::Loop* current = loop::Loop::current();
  return current != nullptr && tableOf(host).loop(current->index()) == current ? current : nullptr;
}

/// What the plugin has on this thread's loop, or null: wrong thread or state.
LoopServices* servicesHere(const sub0_host* host) {
  const loop::Loop* current = currentLoop(host);
  const Life life = pluginOf(host).life.load(std::memory_order_acquire);
  const bool is_alive = life >= Life::kStarted && life <= Life::kStopped;
  return current != nullptr && is_alive ? tableOf(host).services(current->index()) : nullptr;
}

uint32_t onCount(const sub0_host* host) noexcept {
  return tableOf(host).loopCount() == 0 ? 1 : tableOf(host).loopCount();
}

int32_t onCurrent(const sub0_host* host) noexcept {
  const loop::Loop* current = currentLoop(host);
  return current == nullptr ? -1 : static_cast<int32_t>(current->index());
}

uint64_t onNow(const sub0_host* host) noexcept {
  const loop::Loop* current = currentLoop(host);
  if (current != nullptr) return static_cast<uint64_t>(current->nowNs());
  loop::Loop* first = tableOf(host).loop(0);
  return first == nullptr ? 0 : static_cast<uint64_t>(first->io().monotonicNs());
}

int32_t onSetHooks(const sub0_host* host, const sub0_loop_hooks* hooks, void* user) noexcept {
  Plugin& plugin = pluginOf(host);
  if (plugin.life.load(std::memory_order_acquire) != Life::kCreating || plugin.hooks != nullptr) {
    return SUB0_WRONG_STATE;
  }
  if (hooks == nullptr || hooks->struct_size < sizeof(sub0_loop_hooks) ||
      hooks->loop_start == nullptr || hooks->loop_stop == nullptr ||
      hooks->end_of_turn == nullptr) {
    return SUB0_INVALID_ARGUMENT;
  }
  plugin.hooks = hooks;
  plugin.hooks_user = user;
  return SUB0_OK;
}

int32_t onWatch(const sub0_host* host, int32_t descriptor, uint32_t events,
                sub0_ready_callback callback, void* user, uint64_t* watch_handle) noexcept {
  if (descriptor < 0 || (events & ~kInterests) != 0 || callback == nullptr ||
      watch_handle == nullptr) {
    return SUB0_INVALID_ARGUMENT;
  }
  LoopServices* services = servicesHere(host);
  if (services == nullptr) return SUB0_WRONG_STATE;
  return services->watch(pluginOf(host), descriptor, events, callback, user, watch_handle);
}

int32_t onRewatch(const sub0_host* host, uint64_t watch_handle, uint32_t events) noexcept {
  if ((events & ~kInterests) != 0) return SUB0_INVALID_ARGUMENT;
  LoopServices* services = servicesHere(host);
  if (services == nullptr) return SUB0_WRONG_STATE;
  return services->rewatch(pluginOf(host), watch_handle, events);
}

int32_t onUnwatch(const sub0_host* host, uint64_t watch_handle) noexcept {
  LoopServices* services = servicesHere(host);
  if (services == nullptr) return SUB0_WRONG_STATE;
  return services->unwatch(pluginOf(host), watch_handle);
}

int32_t onStartTimer(const sub0_host* host, uint64_t delay_ms, sub0_loop_callback callback,
                     void* user, uint64_t* timer_handle) noexcept {
  if (callback == nullptr || timer_handle == nullptr) return SUB0_INVALID_ARGUMENT;
  LoopServices* services = servicesHere(host);
  if (services == nullptr) return SUB0_WRONG_STATE;
  return services->startTimer(pluginOf(host), delay_ms, callback, user, timer_handle);
}

int32_t onStopTimer(const sub0_host* host, uint64_t timer_handle) noexcept {
  LoopServices* services = servicesHere(host);
  if (services == nullptr) return SUB0_WRONG_STATE;
  return services->stopTimer(pluginOf(host), timer_handle);
}

int32_t onPost(const sub0_host* host, uint32_t loop, sub0_loop_callback callback,
               void* user) noexcept {
  LoopServices* services = tableOf(host).services(loop);
  if (services == nullptr || callback == nullptr) return SUB0_INVALID_ARGUMENT;
  services->post(pluginOf(host), callback, user);
  return SUB0_OK;
}

int32_t onRequestEndOfTurn(const sub0_host* host) noexcept {
  LoopServices* services = servicesHere(host);
  if (services == nullptr || pluginOf(host).hooks == nullptr) return SUB0_WRONG_STATE;
  services->requestEndOfTurn(pluginOf(host));
  return SUB0_OK;
}

// ---- sub0.call/1

int32_t onSetCallHooks(const sub0_host* host, const sub0_call_hooks* hooks, void* user) noexcept {
  Plugin& plugin = pluginOf(host);
  if (plugin.life.load(std::memory_order_acquire) != Life::kCreating ||
      plugin.call_hooks != nullptr) {
    return SUB0_WRONG_STATE;
  }
  if (hooks == nullptr || hooks->struct_size < sizeof(sub0_call_hooks) ||
      hooks->commit == nullptr || hooks->rollback == nullptr) {
    return SUB0_INVALID_ARGUMENT;
  }
  takeCallHooks(plugin, *hooks, user);
  return SUB0_OK;
}

// ---- sub0.pool/1

int32_t onSubmit(const sub0_host* host, sub0_pool_callback work, void* user) noexcept {
  if (work == nullptr) return SUB0_INVALID_ARGUMENT;
  loop::Pool* pool = tableOf(host).pool();
  if (pool == nullptr) return SUB0_UNAVAILABLE;
  Plugin* plugin = &pluginOf(host);
  const bool is_taken = pool->submit([plugin, work, user] {
    giveCrashStack();
    callPlugin(plugin->callbacks.site, "a callback of the pool", 0, nullptr, [&] { work(user); });
  });
  return is_taken ? SUB0_OK : SUB0_BUSY;
}

// ---- sub0.broadcast/1

bool isGoodMessage(const sub0_broadcast_message& message) {
  const bool is_addressed = message.type == SUB0_TO_ALL || message.type == SUB0_TO_SINGLE ||
                            (message.type == SUB0_TO_BULK && message.to != nullptr);
  return message.struct_size >= sizeof(sub0_broadcast_message) && is_addressed &&
         (message.flags & ~SUB0_EXCLUDE_SENDER) == 0 && isText(message.action) &&
         message.data != nullptr && json::isWellFormed(*message.data, kMaxBroadcastBytes) &&
         (message.to == nullptr || json::isWellFormed(*message.to, kMaxBroadcastBytes));
}

int32_t onSend(const sub0_host* host, sub0_ticket ticket, const sub0_broadcast_message* message,
               uint64_t* recipients) noexcept {
  const loop::Loop* current = currentLoop(host);
  const std::uint32_t loop = TicketTable::loopOf(ticket);
  if (current == nullptr || current->index() != loop) return SUB0_WRONG_STATE;
  if (message == nullptr || !isGoodMessage(*message)) return SUB0_INVALID_ARGUMENT;
  TicketTable* tickets = tableOf(host).ticketTable(loop);
  BroadcastSink* sink = tableOf(host).broadcastSink(loop);
  if (tickets == nullptr || sink == nullptr) return SUB0_UNAVAILABLE;
  const Handler* handler = tickets->handler(ticket);
  if (handler == nullptr || handler->plugin != &pluginOf(host) || tickets->isSettled(ticket) ||
      tickets->owner(ticket) == nullptr) {
    return SUB0_STALE_TICKET;
  }
  std::uint64_t count = 0;
  const int32_t status = sink->send(ticket, *message, &count);
  if (recipients != nullptr) *recipients = count;
  return status;
}

constexpr sub0_loop kLoopTable = {
    sizeof(sub0_loop), 0,         onCount,      onCurrent,   onNow,  onSetHooks,        onWatch,
    onRewatch,         onUnwatch, onStartTimer, onStopTimer, onPost, onRequestEndOfTurn};
constexpr sub0_call kCallTable = {sizeof(sub0_call), 0, onSetCallHooks};
constexpr sub0_pool kPoolTable = {sizeof(sub0_pool), 0, onSubmit};
constexpr sub0_broadcast kBroadcastTable = {sizeof(sub0_broadcast), 0, onSend};

}  // namespace

void fillHost(PluginHost& host) {
  host.struct_size = sizeof(sub0_host);
  host.abi_minor = SUB0_ABI_MINOR;
  host.complete = onComplete;
  host.complete_blob = onCompleteBlob;
  host.fail = onFail;
  host.log = onLog;
  host.extension = onExtension;
}

const void* hostExtension(std::string_view name) {
  if (name == SUB0_LOOP_EXTENSION) return &kLoopTable;
  if (name == SUB0_CALL_EXTENSION) return &kCallTable;
  if (name == SUB0_POOL_EXTENSION) return &kPoolTable;
  if (name == SUB0_BROADCAST_EXTENSION) return &kBroadcastTable;
  return nullptr;
}

}  // namespace sub0::plugin
