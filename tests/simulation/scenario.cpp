// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/scenario.hpp"

#include <algorithm>

#include "sub0/plugin.h"

namespace sub0::simulation {
namespace {

constexpr std::int64_t kRunMs = 3000;  // in which clients begin

How howByChance(Random& random, const Scenario& scenario, const ActionModel& action) {
  static constexpr std::int32_t kCodes[] = {SUB0_BAD_REQUEST, SUB0_FORBIDDEN, SUB0_CONSTRAINT,
                                            SUB0_ACTION_FAILED};
  static constexpr Ending kUsual[] = {Ending::kNow,  Ending::kNow,    Ending::kLater,
                                      Ending::kTurn, Ending::kThread, Ending::kPool,
                                      Ending::kPost, Ending::kTwice,  Ending::kBlob};
  static constexpr Ending kRare[] = {Ending::kFail,  Ending::kFailLater, Ending::kNull,
                                     Ending::kThrow, Ending::kLate,      Ending::kNever};
  How how;
  how.ending = random.percent(80) ? kUsual[random.below(std::size(kUsual))]
                                  : kRare[random.below(std::size(kRare))];
  const bool is_on_loop = action.mode != Mode::kPool;
  // On the pool there is no loop's timer; and what is broadcast must say whose it is.
  if (!is_on_loop && (how.ending == Ending::kLater || how.ending == Ending::kTurn)) {
    how.ending = Ending::kThread;
  }
  if (how.ending == Ending::kNull && (action.cast != Cast::kNone || action.has_late_effect)) {
    how.ending = Ending::kNow;
  }
  how.ms = random.oneIn(4) ? 0 : random.between(0, 60);
  // Some end when their deadline does.
  constexpr std::int64_t kLongMs = 55;
  if (how.ending == Ending::kThread && how.ms >= kLongMs) {
    how.ms = scenario.call_deadline_ms + how.ms - kLongMs - 3;
  }
  if (how.ending == Ending::kLate) how.ms = scenario.call_deadline_ms + random.between(300, 900);
  how.code = kCodes[random.below(std::size(kCodes))];
  if (action.retries > 0 && how.code != SUB0_BAD_REQUEST) how.code = SUB0_UNAVAILABLE;
  return how;
}

std::string uidByChance(Random& random) {
  static constexpr const char* kUids[] = {"anna", "ben", "7", "d\xc3\xb6rte"};
  return kUids[random.below(std::size(kUids))];
}

Step stepByChance(Random& random, const Scenario& scenario, bool is_socket) {
  Step step;
  step.gap_ms = random.oneIn(3) ? 0 : random.between(0, random.oneIn(6) ? 800 : 40);
  if (is_socket && random.percent(12)) {
    static constexpr Step::Kind kOthers[] = {Step::Kind::kBadJson, Step::Kind::kNoObject,
                                             Step::Kind::kUnknown, Step::Kind::kPing,
                                             Step::Kind::kPing,    Step::Kind::kUnaskedPong};
    step.kind = kOthers[random.below(std::size(kOthers))];
  }
  step.resource = random.below(scenario.resources.size());
  for (const ActionModel& action : scenario.resources[step.resource].actions) {
    step.hows.push_back(howByChance(random, scenario, action));
  }
  const std::size_t recipients = 1 + random.below(3);
  for (std::size_t i = 0; i < recipients; ++i) step.to.push_back(uidByChance(random));
  step.pad_bytes =
      random.oneIn(8) ? random.below(random.oneIn(4) ? 70'000 : 3'000) : random.below(40);
  step.has_id = random.percent(40);
  step.is_fragmented = random.percent(10);
  return step;
}

Style styleByChance(Random& random, bool is_socket) {
  if (random.percent(65)) return Style::kGood;
  static constexpr Style kSocket[] = {
      Style::kResets,       Style::kVanishes,     Style::kNeverReads,
      Style::kNoPong,       Style::kBreaksFrames, Style::kBreaksFrames,
      Style::kIgnoresClose, Style::kHalfHead,     Style::kGarbage};
  static constexpr Style kHttp[] = {Style::kResets,   Style::kVanishes, Style::kNeverReads,
                                    Style::kHalfHead, Style::kSilent,   Style::kHalfBody,
                                    Style::kGarbage};
  return is_socket ? kSocket[random.below(std::size(kSocket))]
                   : kHttp[random.below(std::size(kHttp))];
}

ClientPlan clientByChance(Random& random, const Scenario& scenario, std::uint64_t number,
                          std::uint64_t& next_step) {
  const auto has = [&](Fault fault) { return (scenario.faults & fault) != 0; };
  ClientPlan plan;
  plan.number = number;
  plan.is_socket = random.percent(70);
  plan.style = styleByChance(random, plan.is_socket);
  if (random.percent(60)) plan.uid = uidByChance(random);
  plan.connect_ms = random.oneIn(3) ? 0 : random.between(0, kRunMs / 4);
  plan.up_bytes = plan.down_bytes = std::size_t{128} << 10;
  if (has(kSmallBuffers) && random.percent(50)) {
    plan.up_bytes = 16 + random.below(4000);
    plan.down_bytes = 16 + random.below(4000);
  }
  if (has(kDelays)) plan.max_delay_ms = random.between(0, 30);
  if (random.percent(20)) plan.write_bytes = 1 + random.below(random.oneIn(2) ? 1 : 50);
  if (random.percent(20)) plan.read_bytes = 1 + random.below(random.oneIn(2) ? 5 : 400);
  plan.pipelines = random.percent(30);
  plan.stay_ms = random.oneIn(2) ? 0 : random.between(0, 600);
  if (has(kResets) && random.percent(15)) plan.reset_ms = random.between(1, kRunMs / 2);
  plan.breakage = random.next();
  const std::size_t steps = 1 + random.below(random.oneIn(6) ? 40 : 7);
  for (std::size_t i = 0; i < steps; ++i) {
    plan.steps.push_back(stepByChance(random, scenario, plan.is_socket));
    plan.steps.back().number = next_step++;
  }
  return plan;
}

void optionsByChance(Random& random, Scenario& scenario) {
  net::Options& options = scenario.options;
  options.allow_websocket = true;
  options.head_deadline_ms = 800;
  options.body_deadline_ms = 900;
  options.keep_alive_ms = 1500;
  options.close_deadline_ms = 400;
  options.overflow_close_ms = 700;
  options.stall_deadline_ms = 1200;
  options.ping_interval_ms =
      random.oneIn(3) ? 0 : static_cast<std::uint64_t>(random.between(100, 900));
  options.pong_deadline_ms = 500;
  options.max_calls_under_way = random.oneIn(2) ? 32 : 1 + random.below(6);
  if (random.oneIn(3)) {
    options.soft_unsent_bytes = 1'000 + random.below(20'000);
    options.hard_unsent_bytes = 100'000 + random.below(100'000);
    options.max_waiting_bytes = 1'000 + random.below(10'000);
    options.unsent_budget_bytes = 300'000;
  }
  options.max_payload_bytes = 200'000;
}

std::string listOf(const std::set<std::uint64_t>& numbers) {
  std::string text;
  for (const std::uint64_t number : numbers) {
    text += (text.empty() ? "" : ",") + std::to_string(number);
  }
  return text;
}

}  // namespace

std::size_t Scenario::steps() const {
  std::size_t count = 0;
  for (const ClientPlan& client : clients) count += client.steps.size();
  return count;
}

bool Scenario::isShortOfMemory() const {
  static const net::Options kUsual;
  return options.hard_unsent_bytes < kUsual.hard_unsent_bytes;
}

Scenario makeScenario(std::uint64_t seed) {
  Random random(Random(seed).next());  // mixed: neighbouring seeds have nothing in common
  Scenario scenario;
  scenario.seed = seed;
  scenario.loops = 1 + random.below(4);
  // Swarm: each run has some classes of faults, so that none hides another.
  if (!random.oneIn(8)) {
    scenario.faults = static_cast<std::uint32_t>(random.next()) & ((1U << kFaultClasses) - 1);
  }
  scenario.call_deadline_ms = random.oneIn(3) ? 300 : 1000;
  optionsByChance(random, scenario);
  if (random.percent(35)) scenario.drain_ms = random.between(0, kRunMs / 2);
  scenario.drain_window_ms = random.oneIn(4) ? random.between(0, 600) : 2500;
  if (random.percent(30)) {
    const std::size_t count = 1 + random.below(3);
    for (std::size_t i = 0; i < count; ++i) {
      scenario.reloads_ms.push_back(random.between(0, kRunMs / 2));
    }
  }
  scenario.resources = makeResources(random);
  const std::size_t clients = 1 + random.below(random.oneIn(5) ? 14 : 6);
  std::uint64_t next_step = 1;
  for (std::size_t i = 0; i < clients; ++i) {
    scenario.clients.push_back(clientByChance(random, scenario, i + 1, next_step));
  }
  // Some come when another has gone in the middle of its calls: into the place that it had.
  for (std::size_t i = 1; i < clients; ++i) {
    const ClientPlan& before = scenario.clients[i - 1];
    const bool goes_early = before.style == Style::kResets || before.reset_ms >= 0;
    if (goes_early && !random.oneIn(3)) scenario.clients[i].after = before.number;
  }
  return scenario;
}

std::string Omissions::toArguments() const {
  std::string text;
  if (!clients.empty()) text += " --without-clients " + listOf(clients);
  if (!steps.empty()) text += " --without-steps " + listOf(steps);
  std::string names;
  for (std::uint32_t bit = 0; bit < kFaultClasses; ++bit) {
    if ((faults >> bit & 1) != 0) {
      names += (names.empty() ? "" : ",") + std::string(faultName(bit));
    }
  }
  if (!names.empty()) text += " --without-faults " + names;
  if (drain) text += " --without-drain";
  if (reload) text += " --without-reload";
  if (is_single_loop) text += " --one-loop";
  return text;
}

void Omissions::apply(Scenario& scenario) const {
  const auto erase = [](auto& list, const std::set<std::uint64_t>& numbers) {
    list.erase(std::remove_if(list.begin(), list.end(),
                              [&](const auto& entry) { return numbers.count(entry.number) != 0; }),
               list.end());
  };
  erase(scenario.clients, clients);
  for (ClientPlan& client : scenario.clients) {
    erase(client.steps, steps);
    if (clients.count(client.after) != 0) client.after = 0;
    if ((faults & kSmallBuffers) != 0) client.up_bytes = client.down_bytes = std::size_t{128} << 10;
    if ((faults & kDelays) != 0) client.max_delay_ms = 0;
    if ((faults & kResets) != 0) client.reset_ms = -1;
  }
  scenario.faults &= ~faults;
  if (drain) scenario.drain_ms = -1;
  if (reload) scenario.reloads_ms.clear();
  if (is_single_loop) scenario.loops = 1;
}

}  // namespace sub0::simulation
