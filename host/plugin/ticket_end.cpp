// SPDX-License-Identifier: Apache-2.0
// The ends of runs, on any thread: TicketTable::end… and what they share with ends by the host.
#include <cstddef>
#include <string>

#include "base/text.hpp"
#include "plugin/slot.hpp"
#include "plugin/ticket_table.hpp"

namespace sub0::plugin {
namespace {

constexpr std::size_t kMeasuredTimes = 8;  // the limit: beyond, a result counts as malformed
constexpr std::size_t kMaxMessageBytes = std::size_t{16} << 10;

/// Whether `value` is, pointer for pointer, one of the run's inputs: the host's own, so
/// well-formed.
bool isInput(const sub0_value& value, const sub0_run& run) {
  for (std::uint32_t i = 0; i < run.input_count; ++i) {
    const sub0_value& input = run.inputs[i];
    if (input.type == value.type && input.count == value.count && input.as.i == value.as.i) {
      return true;
    }
  }
  return false;
}

/// A plugin's text for people, made safe: bounded, UTF-8.
std::string_view copyMessage(std::string_view message, Arena& arena) {
  message = message.substr(0, kMaxMessageBytes);
  return arena.copy(text::isUtf8(message) ? message : text::escapeControl(message));
}

bool isReadable(const sub0_text_view& view) { return view.size == 0 || view.data != nullptr; }

}  // namespace

inline bool TicketTable::isWithinRun(sub0_ticket ticket) const {
  const CallFrame* frame = CallFrame::current();
  return frame != nullptr && frame->ticket() == ticket && frame->mark() == &mark_;
}

inline Slot* TicketTable::claim(Plugin& plugin, sub0_ticket ticket, int32_t* status) {
  *status = SUB0_STALE_TICKET;
  Slot* slot = find(ticket);
  Handler* handler = slot == nullptr ? nullptr : slot->handler.load(std::memory_order_relaxed);
  if (handler == nullptr || handler->plugin != &plugin) {
    plugin.stale_ends.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  std::uint64_t state = slot->state.load(std::memory_order_acquire);
  do {
    if ((state >> 32) != (ticket & 0xffffffffU) || (state & (kStarted | kClaimed)) == 0) {
      plugin.stale_ends.fetch_add(1, std::memory_order_relaxed);
      return nullptr;
    }
    if ((state & kClaimed) != 0) {
      auto& counter =
          (state & kClosed) != 0 ? handler->counters.late_ends : handler->counters.double_ends;
      counter.fetch_add(1, std::memory_order_relaxed);
      return nullptr;
    }
  } while (!slot->state.compare_exchange_weak(state, state | kClaimed, std::memory_order_acq_rel,
                                              std::memory_order_acquire));
  if ((state & kClosed) != 0) {
    handler->counters.late_ends.fetch_add(1, std::memory_order_relaxed);
    publish(*slot, false);
    return nullptr;
  }
  *status = SUB0_OK;
  return slot;
}

inline Arena& TicketTable::resultArena(Slot& slot, bool is_within_run) {
  if (is_within_run || loop::Loop::current() == &loop_) {
    slot.outcome.is_in_arena = true;
    return *slot.arena;
  }
  if (slot.own_arena == nullptr) slot.own_arena = std::make_unique<Arena>();
  slot.uses_own_arena = true;
  return *slot.own_arena;
}

inline int32_t TicketTable::takeValue(Slot& slot, const sub0_value* value, const sub0_blob* blob,
                                      bool is_within_run) {
  if (value != nullptr && blob == nullptr && is_within_run && isInput(*value, *slot.run)) {
    slot.outcome.value = *value;
    slot.outcome.is_in_arena = true;
    return SUB0_OK;
  }
  if (value != nullptr && json::isWellFormed(*value, limits_.max_result_bytes)) {
    slot.outcome.value =
        blob == nullptr ? json::copy(*value, resultArena(slot, is_within_run)) : *value;
    return SUB0_OK;
  }
  Handler& handler = *slot.action->handler;
  handler.counters.bad_results.fetch_add(1, std::memory_order_relaxed);
  // Not without a bound: a tree whose branches are shared has any number of leaves.
  const bool is_too_large =
      value != nullptr && json::isWellFormed(*value, limits_.max_result_bytes * kMeasuredTimes);
  if (is_too_large) {
    takeError(slot, Code::kResultTooLarge, "the result is too large (setting SUB0_RESULT_LIMIT)",
              "the result of the plugin has more than " + std::to_string(limits_.max_result_bytes) +
                  " bytes",
              is_within_run);
    return SUB0_RESULT_TOO_LARGE;
  }
  logFault(*slot.action->site, "a result is not a well-formed value");
  takeError(slot, Code::kInternal, {}, "the result of the plugin is not a well-formed value",
            is_within_run);
  return SUB0_INVALID_ARGUMENT;
}

void TicketTable::takeError(Slot& slot, Code code, std::string_view client,
                            std::string_view log_text, bool is_within_run) {
  slot.action->handler->counters.failures.fetch_add(1, std::memory_order_relaxed);
  slot.outcome.code = code;
  if (client.empty() && log_text.empty()) {
    slot.outcome.is_in_arena = true;
    return;
  }
  Arena& arena = resultArena(slot, is_within_run);
  slot.outcome.client_message = copyMessage(client, arena);
  slot.outcome.log_message = copyMessage(log_text, arena);
}

inline void TicketTable::publish(Slot& slot, bool is_within_run) {
  if (is_within_run) {  // the loop's thread, and nobody else writes: run() looks afterwards
    slot.state.store(slot.state.load(std::memory_order_relaxed) | kEnded,
                     std::memory_order_release);
    return;
  }
  // Once the slot has ended, the owner may be gone: take what is needed before.
  const bool holds_running = slot.holds_running;
  Handler& handler = *slot.handler.load(std::memory_order_relaxed);
  const std::uint64_t state = slot.state.fetch_or(kEnded | kQueued, std::memory_order_acq_rel);
  if ((state & kReturned) != 0 && holds_running) leaveRunning(handler);
  queue(slot);
}

void TicketTable::settleOnLoop(Slot& slot, Code code, std::string_view log_text) {
  std::uint64_t state = slot.state.load(std::memory_order_acquire);
  do {
    if ((state & kClaimed) != 0) return;
  } while (!slot.state.compare_exchange_weak(state, state | kClaimed, std::memory_order_acq_rel,
                                             std::memory_order_acquire));
  slot.action->handler->counters.failures.fetch_add(1, std::memory_order_relaxed);
  slot.outcome.code = code;
  slot.outcome.log_message = slot.arena->copy(log_text);
  slot.outcome.is_in_arena = true;
  slot.is_told = true;
  slot.state.fetch_or(kEnded, std::memory_order_acq_rel);
}

void TicketTable::settleInPool(Slot& slot, Code code, std::string_view log_text) {
  std::uint64_t state = slot.state.load(std::memory_order_acquire);
  do {
    if ((state & kClaimed) != 0) return;
  } while (!slot.state.compare_exchange_weak(state, state | kClaimed, std::memory_order_acq_rel,
                                             std::memory_order_acquire));
  takeError(slot, code, {}, log_text, false);
  publish(slot, false);
}

int32_t TicketTable::endWithValue(Plugin& plugin, sub0_ticket ticket, const sub0_value* copied) {
  int32_t status = SUB0_OK;
  Slot* slot = claim(plugin, ticket, &status);
  if (slot == nullptr) return status;
  const bool is_within_run = isWithinRun(ticket);
  status = takeValue(*slot, copied, nullptr, is_within_run);
  publish(*slot, is_within_run);
  return status;
}

int32_t TicketTable::endWithBlob(Plugin& plugin, sub0_ticket ticket, const sub0_blob* taken) {
  int32_t status = SUB0_OK;
  Slot* slot = claim(plugin, ticket, &status);
  if (slot == nullptr) {
    if (taken != nullptr) refuseBlob(plugin, *taken);
    return status;
  }
  const bool is_within_run = isWithinRun(ticket);
  const bool is_whole = taken != nullptr && taken->release != nullptr;
  status = takeValue(*slot, is_whole ? taken->value : nullptr, taken, is_within_run);
  if (is_whole) {  // also when the value was refused: freed with the slot
    slot->blob = *taken;
    slot->has_blob = true;
  }
  publish(*slot, is_within_run);
  return status;
}

void TicketTable::refuseBlob(Plugin& plugin, const sub0_blob& blob) {
  if (blob.release == nullptr) return;
  // Not here: a function of the host never calls a plugin inline.
  loop_.post([&plugin, blob] {
    callPlugin(plugin.callbacks.site, "release of a result", 0, nullptr,
               [&] { blob.release(blob.owner); });
  });
}

int32_t TicketTable::endWithError(Plugin& plugin, sub0_ticket ticket, const sub0_error* copied) {
  int32_t status = SUB0_OK;
  Slot* slot = claim(plugin, ticket, &status);
  if (slot == nullptr) return status;
  const bool is_within_run = isWithinRun(ticket);
  const bool is_whole = copied != nullptr && copied->struct_size >= sizeof(sub0_error) &&
                        copied->code >= SUB0_BAD_REQUEST && copied->code <= SUB0_TIMEOUT &&
                        isReadable(copied->log) && isReadable(copied->client);
  if (is_whole) {
    takeError(*slot, static_cast<Code>(copied->code), json::toText(copied->client),
              json::toText(copied->log), is_within_run);
  } else {
    status = SUB0_INVALID_ARGUMENT;
    takeError(*slot, Code::kInternal, {}, "the plugin failed with an error that is none",
              is_within_run);
  }
  publish(*slot, is_within_run);
  return status;
}

}  // namespace sub0::plugin
