// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/judge.hpp"

#include <algorithm>
#include <utility>

#include "sub0/plugin.h"

namespace sub0::simulation {
namespace {

constexpr std::int64_t kSlackNs = 300 * kMs;  // stalls, late wakes, preempted turns

bool isSame(const Json& a, const Json& b) {
  if (a.type != b.type || a.text != b.text || a.items.size() != b.items.size() ||
      a.members.size() != b.members.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!isSame(a.items[i], b.items[i])) return false;
  }
  return std::all_of(a.members.begin(), a.members.end(), [&](const auto& member) {
    const Json* other = b.find(member.first);
    return other != nullptr && isSame(member.second, *other);
  });
}

std::string errorOf(const Json& reply) {
  const Json* error = reply.find("error");
  const Json* code = error == nullptr ? nullptr : error->find("code");
  return code == nullptr ? "" : code->text;
}

int statusOf(std::string_view error) {
  static constexpr std::pair<std::string_view, int> kStatus[] = {
      {"bad_request", 400}, {"forbidden", 403},  {"not_found", 404},     {"internal", 500},
      {"no_value", 500},    {"constraint", 500}, {"action_failed", 500}, {"busy", 503},
      {"unavailable", 503}, {"timeout", 504}};
  for (const auto& [name, status] : kStatus) {
    if (name == error) return status;
  }
  return 0;
}

}  // namespace

std::string Judge::describe(const CallRecord& call) const {
  return "call " + std::to_string(call.number) + " of client " + std::to_string(call.client) +
         " (" + call.resource->id + ")";
}

void Judge::sent(std::uint64_t client, const Step& step, bool is_socket, bool is_prompt,
                 const std::string& pad) {
  CallRecord record;
  record.number = step.number;
  record.client = client;
  record.resource = &scenario_.resources[step.resource];
  record.expected = reckon(*record.resource, step.hows, step.number, pad);
  record.sent_ns = world_.nowNs();
  record.is_socket = is_socket;
  record.is_prompt = is_prompt && record.expected.runs.size() == 1 && record.expected.repeats == 0;
  calls_.emplace(step.number, std::move(record));
}

void Judge::replied(std::uint64_t client, std::uint64_t number, const Json& reply, int status) {
  ++replies_seen_;
  const auto found = calls_.find(number);
  if (found == calls_.end() || found->second.client != client) {
    world_.fail("one-reply", "client " + std::to_string(client) + " got a reply to call " +
                                 std::to_string(number) + ", which it never made");
    return;
  }
  CallRecord& call = found->second;
  if (std::exchange(call.is_replied, true)) {
    world_.fail("one-reply", describe(call) + " was answered twice");
    return;
  }
  const Json* data = reply.find("data");
  if (data == nullptr) {
    world_.fail("reply-shape", describe(call) + ": a reply without data");
    return;
  }
  if (call.is_prompt && call.ended_ns >= 0 && world_.nowNs() - call.ended_ns > slackNs()) {
    world_.fail("late-reply", describe(call) + ": its reply came " +
                                  std::to_string((world_.nowNs() - call.ended_ns) / kMs) +
                                  " ms after its last run had ended");
  }
  if (reply.find("error") != nullptr) {
    checkFailure(call, reply, status);
    call.went_as_reckoned =
        errorOf(reply) == call.expected.error && call.runs == call.expected.runs;
    return;
  }
  if (status != 200) {
    world_.fail("reply-shape", describe(call) + ": success with status " + std::to_string(status));
  }
  if (!call.expected.error.empty()) {
    world_.fail("result",
                describe(call) + " succeeded; it was to fail with " + call.expected.error);
    return;
  }
  call.went_as_reckoned = true;
  if (call.expected.data && !isSame(*data, *call.expected.data)) {
    world_.fail("result", describe(call) + " gave " + data->toString() + "; it was to give " +
                              call.expected.data->toString());
  }
  if (call.runs != call.expected.runs || call.repeats != call.expected.repeats) {
    world_.fail("order-of-actions", describe(call) +
                                        ": its actions ran in another order than "
                                        "S-20 and S-21 say");
  }
}

void Judge::checkFailure(const CallRecord& call, const Json& reply, int status) {
  const std::string error = errorOf(reply);
  const std::int64_t took_ns = world_.nowNs() - call.sent_ns;
  const std::int64_t deadline_ns = scenario_.call_deadline_ms * kMs;
  if (status != statusOf(error) || !reply.find("data")->isNull()) {
    world_.fail("reply-shape", describe(call) + ": status " + std::to_string(status) + " with " +
                                   reply.toString());
  }
  if (error == "timeout" && took_ns < deadline_ns - kSlackNs) {
    world_.fail("deadline", describe(call) + " timed out too early, after " +
                                std::to_string(took_ns / kMs) + " ms");
  }
  if (error == call.expected.error) return;
  // Pressure may change what comes: then it must be said by these.
  if (error == "timeout" && took_ns >= deadline_ns - kSlackNs) return;
  const bool may_be_busy = call.expected.waits_for_others || scenario_.isShortOfMemory();
  if (error == "busy" && may_be_busy) return;
  // The next pause, of 100 ms at most, did not fit in.
  const bool may_give_up = call.expected.repeats > 0 && took_ns > deadline_ns - 100 * kMs;
  if (error == "unavailable" && may_give_up) return;
  world_.fail("result", describe(call) + " failed with \"" + error + "\"; reckoned was \"" +
                            call.expected.error + "\": " + reply.toString());
}

void Judge::refused(std::uint64_t client, const Json& reply, std::string_view error) {
  ++replies_seen_;
  if (errorOf(reply) == error) return;
  world_.fail("reply-shape", "client " + std::to_string(client) + ": expected " +
                                 std::string(error) + ", got " + reply.toString());
}

void Judge::leftUnanswered(std::uint64_t number) {
  const CallRecord* call = find(number);
  // As the server has it: the end of the window is the closing handshakes'.
  const std::int64_t window_ms = scenario_.drain_window_ms;
  const std::int64_t calls_ms = std::max(window_ms - 500, window_ms / 2);
  const bool is_early = world_.nowNs() < drained_ns_ + calls_ms * kMs;
  if (call == nullptr || call->runs.empty() || !is_early) return;
  world_.fail("drain",
              describe(*call) + " was under way, and its connection ended without a reply");
}

/// Within this much time whoever has something to do has done it.
std::int64_t Judge::slackNs() const {
  constexpr std::int64_t kPromptNs = 50 * kMs;
  return world_.has(kStalls) || world_.has(kLateWakes) ? kSlackNs : kPromptNs;
}

void Judge::runStarted(std::uint64_t number, std::size_t action, std::int64_t deadline_ns) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) {
    world_.fail("order-of-actions", "a run of call " + std::to_string(number) + ", never made");
    return;
  }
  CallRecord& call = found->second;
  if (call.repeats < call.expected.repeats && !call.runs.empty()) {
    runRepeated(call);
    return;
  }
  if (std::find(call.runs.begin(), call.runs.end(), action) != call.runs.end()) {
    world_.fail("order-of-actions", describe(call) + ": an action ran twice (S-20)");
  }
  const bool is_first = call.runs.empty();
  call.runs.push_back(action);
  if (is_stopping_ && call.expected.times_out) return;
  const auto& reckoned = call.expected.runs;
  if (call.runs.size() > reckoned.size() ||
      !std::equal(call.runs.begin(), call.runs.end(), reckoned.begin())) {
    world_.fail("order-of-actions", describe(call) + ": action " + std::to_string(action) +
                                        " ran out of order (S-20, S-21, S-22)");
  }
  if (deadline_ns > world_.nowNs() + scenario_.call_deadline_ms * kMs + kMs) {
    world_.fail("deadline", describe(call) + ": a run has more time than its call");
  }
  // S-114: the calls of a connection start in order. Those that begin on the pool, or wait for a
  // place, run when there is room.
  const bool starts_at_once = call.resource->actions[action].mode == Mode::kScript;
  const std::int64_t waited_ns = is_first ? 0 : world_.nowNs() - call.ended_ns;
  if (starts_at_once && waited_ns > slackNs()) {
    world_.fail("late-run", describe(call) + ": a run began " + std::to_string(waited_ns / kMs) +
                                " ms after the one before it had ended");
  }
  if (!is_first || !call.is_socket || !starts_at_once) return;
  std::uint64_t& last = last_started_[call.client];
  if (number < last) {
    world_.fail("start-order", describe(call) + " started after call " + std::to_string(last) +
                                   ", which was sent later (S-114)");
  }
  last = std::max(last, number);
  auto& running = running_[call.client];
  running[number] = deadline_ns;
  const auto count = std::count_if(running.begin(), running.end(), [this](const auto& entry) {
    return entry.second > world_.nowNs();
  });
  if (static_cast<std::uint64_t>(count) > scenario_.options.max_calls_under_way) {
    world_.fail("under-way", describe(call) + ": more calls are under way than the limit (S-114)");
  }
}

/// S-90: after a pause, which doubles and has jitter.
void Judge::runRepeated(CallRecord& call) {
  const std::int64_t longest_ns = (50 * kMs) << call.repeats;
  const std::int64_t waited_ns = world_.nowNs() - call.ended_ns;
  ++call.repeats;
  // Where a turn stalls, the clock of turns by which the pause is counted is behind.
  const bool is_exact = !world_.has(kStalls) && !world_.has(kLateWakes);
  if ((is_exact && waited_ns < longest_ns / 2) || waited_ns > longest_ns + slackNs()) {
    world_.fail("retries",
                describe(call) + ": tried again after " + std::to_string(waited_ns / kMs) + " ms");
  }
}

void Judge::runThrew(std::uint64_t number) {
  const CallRecord* call = find(number);
  if (call != nullptr) running_[call->client].erase(number);
}

void Judge::runEnds(std::uint64_t number) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  found->second.ended_ns = world_.nowNs();
  running_[found->second.client].erase(number);
}

void Judge::runEnded(std::uint64_t number, std::int32_t status, std::int64_t deadline_ns,
                     bool is_first) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  const CallRecord& call = found->second;
  const std::int64_t now_ns = world_.nowNs();
  if (is_first && status != SUB0_OK && now_ns < deadline_ns - kMs) {
    world_.fail("tickets", describe(call) + ": the first end of a run was refused with " +
                               std::to_string(status));
  }
  if (!is_first && status != SUB0_STALE_TICKET) {
    world_.fail("tickets", describe(call) + ": a second end of a run was taken");
  }
  if (is_first && status == SUB0_OK && now_ns > deadline_ns + kSlackNs) {
    world_.fail("deadline", describe(call) + ": a run went on after its deadline");
  }
}

void Judge::cast(CastRecord record) {
  record.at_ns = world_.nowNs();
  const CallRecord* call = find(record.call);
  if (call == nullptr) {
    world_.fail("broadcast", "a broadcast of call " + std::to_string(record.call) + ", never made");
    return;
  }
  world_.note("call", record.call, "broadcasts", 0, record.label);
  casts_.push_back(std::move(record));
}

bool Judge::isOwn(const CastRecord& cast, const Heard& heard) const {
  const CallRecord* call = find(cast.call);
  return call != nullptr && call->is_socket && call->client == heard.client;
}

bool Judge::isMeantFor(const CastRecord& cast, const Heard& heard) const {
  if (cast.excludes_sender && isOwn(cast, heard)) return false;
  if (cast.audience == Cast::kAll) return true;
  return !heard.uid.empty() &&
         std::find(cast.uids.begin(), cast.uids.end(), heard.uid) != cast.uids.end();
}

/// Whether it was connected when the broadcast was made, for a while yet.
bool Judge::wasThere(const CastRecord& cast, const Heard& heard) const {
  // A loop in the middle of its turn may see the client leave before it sees the letter.
  const std::int64_t turn_ns = world_.has(kPreemption) ? 100 * kMs : 0;
  return heard.joined_ns >= 0 && cast.at_ns > heard.joined_ns &&
         (heard.leaving_ns < 0 || cast.at_ns < heard.leaving_ns - turn_ns) &&
         (drained_ns_ < 0 || cast.at_ns < drained_ns_);
}

std::uint64_t Judge::castsSeen() const {
  std::uint64_t count = 0;
  for (const Heard& heard : heard_) {
    for (const Heard::Item& item : heard.items) count += item.is_reply ? 0 : 1;
  }
  return count;
}

void Judge::finish() {
  checkCastsOfCalls();
  for (const Heard& heard : heard_) {
    checkOwnCasts(heard);
    checkCasts(heard);
  }
}

/// S-115: what a call earned goes out, once, in the order of its actions.
void Judge::checkCastsOfCalls() {
  std::map<std::uint64_t, std::vector<std::string>> labels;
  for (const CastRecord& cast : casts_) {
    if (!cast.is_late) labels[cast.call].push_back(cast.label);
  }
  for (const auto& [number, call] : calls_) {
    std::vector<std::string> reckoned;
    for (const std::size_t action : call.expected.casts) {
      reckoned.push_back(castLabel(*call.resource, action));
    }
    if (call.expected.times_out) continue;  // or a plugin's stop ended it
    const auto& made = labels[number];
    const bool is_prefix =
        made.size() <= reckoned.size() && std::equal(made.begin(), made.end(), reckoned.begin());
    if (!is_prefix || (call.went_as_reckoned && made.size() != reckoned.size())) {
      world_.fail("broadcast", describe(call) + " made " + std::to_string(made.size()) +
                                   " broadcasts; reckoned were " + std::to_string(reckoned.size()) +
                                   " (S-115)");
    }
  }
}

/// S-116: on the sender's connection right behind the reply.
void Judge::checkOwnCasts(const Heard& heard) {
  std::map<std::uint64_t, std::vector<const CastRecord*>> own;
  for (const CastRecord& cast : casts_) {
    if (isOwn(cast, heard) && isMeantFor(cast, heard)) own[cast.call].push_back(&cast);
  }
  std::map<std::uint64_t, bool> is_answered;
  for (std::size_t i = 0; i < heard.items.size(); ++i) {
    const Heard::Item& item = heard.items[i];
    if (!item.is_reply) {
      const CallRecord* call = find(item.call);
      const bool is_own = call != nullptr && call->is_socket && call->client == heard.client;
      if (is_own && !is_answered[item.call]) {
        world_.fail("broadcast-order",
                    describe(*call) + ": its broadcast came before its reply (S-116)");
      }
      continue;
    }
    is_answered[item.call] = true;
    std::size_t at = i;
    for (const CastRecord* cast : own[item.call]) {
      if (cast->is_late) continue;
      if (++at >= heard.items.size()) {  // the connection ended here
        if (heard.is_faithful && wasThere(*cast, heard)) {
          world_.fail("broadcast", "client " + std::to_string(heard.client) +
                                       " has the reply to its call " + std::to_string(item.call) +
                                       ", but not the broadcast behind it");
        }
        break;
      }
      const Heard::Item& next = heard.items[at];
      if (next.is_reply || next.call != item.call || next.label != cast->label) {
        world_.fail("broadcast-order", "client " + std::to_string(heard.client) + ": " +
                                           cast->label + " of call " + std::to_string(item.call) +
                                           " is not right behind its reply (S-116)");
      }
    }
  }
}

/// Every recipient once; and in the order in which a loop sent them.
void Judge::checkCasts(const Heard& heard) {
  const std::string who = "client " + std::to_string(heard.client);
  std::map<std::pair<std::uint64_t, std::string>, std::size_t> place;
  for (std::size_t i = 0; i < heard.items.size(); ++i) {
    const Heard::Item& item = heard.items[i];
    if (item.is_reply) continue;
    if (!place.emplace(std::pair(item.call, item.label), i).second) {
      world_.fail("broadcast",
                  who + " got " + item.label + " of call " + std::to_string(item.call) + " twice");
    }
  }
  struct Stream {
    bool has_begun = false;
    std::size_t last = 0;
    const CastRecord* missing = nullptr;
  };
  std::map<std::uint32_t, Stream> streams;
  std::size_t matched = 0;
  for (const CastRecord& cast : casts_) {
    const auto found = place.find({cast.call, cast.label});
    const bool is_meant = isMeantFor(cast, heard);
    if (found != place.end() && !is_meant) {
      world_.fail("broadcast", who + " got " + cast.label + " of call " +
                                   std::to_string(cast.call) + ", which was not for it");
    }
    if (found != place.end()) ++matched;
    // Its own wait with the reply, and are looked at there.
    const bool is_own = isOwn(cast, heard);
    if (is_meant && !is_own && found == place.end() && heard.is_faithful && wasThere(cast, heard)) {
      world_.fail("broadcast", who + " missed " + cast.label + " of call " +
                                   std::to_string(cast.call) + " and was not closed for it");
    }
    if (!is_meant || is_own) continue;
    Stream& stream = streams[cast.loop];
    if (found == place.end()) {
      if (stream.has_begun && stream.missing == nullptr) stream.missing = &cast;
      continue;
    }
    if (stream.missing != nullptr) {
      world_.fail("broadcast", who + " missed " + stream.missing->label + " of call " +
                                   std::to_string(stream.missing->call) +
                                   ", but got later ones of the same loop");
    }
    if (stream.has_begun && found->second < stream.last) {
      world_.fail("broadcast-order", who + " got two broadcasts of one loop in another order");
    }
    stream.has_begun = true;
    stream.last = found->second;
  }
  if (matched != place.size()) {
    world_.fail("broadcast", who + " got a broadcast that nobody made");
  }
}

}  // namespace sub0::simulation
