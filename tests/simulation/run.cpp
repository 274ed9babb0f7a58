// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/run.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "tests/simulation/allocations.hpp"
#include "tests/simulation/client.hpp"
#include "tests/simulation/host.hpp"
#include "tests/simulation/judge.hpp"

namespace sub0::simulation {
namespace {

constexpr std::int64_t kLongMs = 4'000'000;

/// One run from its start to its end; everything of it dies with this.
class Run {
 public:
  Run(const Scenario& scenario, bool keeps_lines)
      : scenario_(scenario),
        world_(scenario.seed, scenario.faults, keeps_lines),
        network_(world_),
        judge_(world_, scenario),
        host_(world_, network_, judge_, scenario) {}

  Verdict go() {
    const std::int64_t began_ns = world_.nowNs();
    if (host_.start()) play();
    Verdict verdict;
    verdict.oracle = world_.failedOracle();
    verdict.text = world_.failure();
    verdict.hash = world_.trace().hash();
    verdict.lines = world_.trace().lines();
    verdict.steps = world_.steps();
    verdict.simulated_ns = world_.nowNs() - began_ns;
    verdict.replies = judge_.repliesSeen();
    verdict.broadcasts = judge_.castsSeen();
    verdict.connections = network_.accepted();
    verdict.drained = scenario_.drain_ms >= 0 ? 1 : 0;
    verdict.reloads = scenario_.reloads_ms.size();
    return verdict;
  }

 private:
  void play() {
    for (const ClientPlan& plan : scenario_.clients) {
      clients_.push_back(makeClient(world_, network_, judge_, scenario_, plan));
    }
    if (scenario_.drain_ms >= 0) {
      world_.at(world_.nowNs() + scenario_.drain_ms * kMs, [this] { host_.drain(); });
    }
    for (const std::int64_t when_ms : scenario_.reloads_ms) {
      world_.at(world_.nowNs() + when_ms * kMs, [this] { host_.reload(); });
    }
    pass("the clients", [this] {
      return std::all_of(clients_.begin(), clients_.end(),
                         [](const auto& client) { return client->isDone(); });
    });
    if (!judge_.isDraining()) host_.drain();
    pass("the drain", [this] { return host_.isIdle(); });
    pass("the calls", [this] { return host_.isQuiet(); });
    judge_.stopping();
    host_.stopPlugins();
    settle();
    for (const auto& client : clients_) client->report();
    judge_.finish();
    checkCounters();
    host_.stopLoops();
    pass("the loops", [this] { return host_.hasStopped(); });
    if (!host_.hasStopped()) abandon();
  }

  void pass(const char* what, const std::function<bool()>& is_done) {
    const auto look = [&] {
      std::string text;
      if (host_.findLostWake(text)) world_.fail("lost-wake", text);
      return is_done();
    };
    const World::End end = world_.run(look, world_.nowNs() + kLongMs * kMs);
    if (end == World::End::kDone) return;
    std::string text = std::string(what) + " do not come to an end (";
    text += end == World::End::kTooManySteps  ? "too many steps"
            : end == World::End::kNothingToDo ? "nothing moves any more"
                                              : "too late";
    text += ")";
    for (const auto& client : clients_) {
      if (!client->isDone()) text += "; " + client->describe();
    }
    world_.fail("hangs", text);
    if (end == World::End::kTooManySteps) abandon();
  }

  /// Until nothing moves any more: no timer, no letter, no event.
  void settle() {
    const World::End end = world_.run([] { return false; }, world_.nowNs() + kLongMs * kMs);
    if (end != World::End::kNothingToDo) world_.fail("left-over", "something goes on for ever");
    if (end == World::End::kTooManySteps) abandon();
    host_.checkNothingIsLeft();
  }

  /// The loops cannot be ended any more: only the verdict is left of this process.
  [[noreturn]] void abandon() {
    std::fprintf(stderr, "seed %llu: %s: %s\n", static_cast<unsigned long long>(scenario_.seed),
                 world_.failedOracle().c_str(), world_.failure().c_str());
    const auto& lines = world_.trace().lines();
    const std::size_t first = lines.size() > 200 ? lines.size() - 200 : 0;
    for (std::size_t i = first; i < lines.size(); ++i)
      std::fprintf(stderr, "%s\n", lines[i].c_str());
    std::fflush(stderr);
    ::_exit(kAbandoned);
  }

  void checkCounters() {
    const net::Totals totals = host_.totals();
    const auto claim = [&](bool holds, const std::string& text) {
      if (!holds) world_.fail("counters", text);
    };
    for (std::size_t i = 0; i < totals.closed.size(); ++i) {
      if (totals.closed[i] == 0) continue;
      world_.note("host", totals.closed[i], "connections ended:", 0,
                  net::closeReasonName(static_cast<net::CloseReason>(i)));
    }
    const auto number = [](std::uint64_t value) { return std::to_string(value); };
    const std::uint64_t closed =
        std::accumulate(totals.closed.begin(), totals.closed.end(), std::uint64_t{0});
    claim(totals.accepted == network_.accepted(), "accepted: " + number(totals.accepted) +
                                                      " counted, " + number(network_.accepted()) +
                                                      " were");
    claim(closed == totals.accepted,
          number(totals.accepted) + " connections, but " + number(closed) + " ends with a reason");
    const std::uint64_t seen = judge_.responsesSeen();
    claim(seen <= totals.replies,
          number(seen) + " replies seen, " + number(totals.replies) + " counted");
    const std::uint64_t heard = judge_.castsSeen();
    claim(heard <= totals.broadcast_deliveries,
          number(heard) + " broadcasts seen, " + number(totals.broadcast_deliveries) + " counted");
    const bool is_lossless =
        scenario_.drain_ms < 0 &&
        std::all_of(scenario_.clients.begin(), scenario_.clients.end(),
                    [](const ClientPlan& plan) { return plan.isGood() && plan.reset_ms < 0; });
    if (!is_lossless || judge_.hasLosses()) return;
    claim(seen == totals.replies, "without losses " + number(seen) + " replies seen, " +
                                      number(totals.replies) + " counted");
    claim(heard == totals.broadcast_deliveries,
          "without losses " + number(heard) + " broadcasts seen, " +
              number(totals.broadcast_deliveries) + " counted");
  }

  const Scenario& scenario_;
  World world_;
  Network network_;
  Judge judge_;
  Host host_;
  std::vector<std::unique_ptr<Client>> clients_;

 public:
  static constexpr int kAbandoned = 77;
};

void put(std::string& out, std::string_view text) {
  out += std::to_string(text.size()) + ":" + std::string(text);
}
std::string take(std::string_view& in) {
  const auto colon = in.find(':');
  const std::size_t size = std::stoul(std::string(in.substr(0, colon)));
  std::string text(in.substr(colon + 1, size));
  in.remove_prefix(colon + 1 + size);
  return text;
}

}  // namespace

Verdict runScenario(const Scenario& scenario, bool keeps_lines) {
  // What is made once in a process (statics, warm buffers) is there after the first try.
  constexpr int kTries = 3;
  Verdict verdict;
  std::int64_t left = 0;
  for (int i = 0; i < kTries; ++i) {
    verdict = Verdict();
    const std::int64_t before = liveAllocations();
    {
      Run run(scenario, keeps_lines);
      verdict = run.go();
    }
    SharedBytes::freeSpare();
    if (verdict.hasFailed() || keeps_lines) return verdict;
    left = liveAllocations() - before;
    if (left == 0) return verdict;
  }
  verdict.oracle = "memory";
  verdict.text = std::to_string(left) + " blocks of memory are left after each run";
  return verdict;
}

Verdict runIsolated(const Scenario& scenario, bool keeps_lines) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    const Verdict verdict = runScenario(scenario, keeps_lines);
    std::string out;
    put(out, verdict.oracle);
    put(out, verdict.text);
    put(out, std::to_string(verdict.hash));
    for (const std::string& line : verdict.lines) put(out, line);
    for (std::size_t at = 0; at < out.size();) {
      const ssize_t written = ::write(ends[1], out.data() + at, out.size() - at);
      if (written <= 0) break;
      at += static_cast<std::size_t>(written);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string in;
  char buffer[65'536];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    in.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  Verdict verdict;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || in.empty()) {
    const bool is_abandoned = WIFEXITED(status) && WEXITSTATUS(status) == Run::kAbandoned;
    verdict.oracle = is_abandoned ? "hangs" : "crash";
    verdict.text = is_abandoned ? "it does not come to an end"
                                : "the process died, wait status " + std::to_string(status);
    return verdict;
  }
  std::string_view rest = in;
  verdict.oracle = take(rest);
  verdict.text = take(rest);
  verdict.hash = std::stoull(take(rest));
  while (!rest.empty()) verdict.lines.push_back(take(rest));
  return verdict;
}

}  // namespace sub0::simulation
