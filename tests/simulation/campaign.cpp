// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/campaign.hpp"

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace sub0::simulation {
namespace {

double nowSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace

/// Of both processes: where the working one is.
struct Campaign::Shared {
  volatile std::uint64_t seed;
  volatile bool is_done;
  Totals totals;
};

Totals Campaign::run() {
  started_s_ = nowSeconds();
  void* memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  auto& shared = *new (memory) Shared{options_.first_seed, false, {}};
  while (!shared.is_done && failures_.size() < options_.max_failures) {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      work(shared, ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    std::string reports;
    char buffer[4096];
    pollfd waiting{ends[0], POLLIN, 0};
    while (true) {
      if (::poll(&waiting, 1, 2000) == 0) {
        if (options_.shows_progress) showProgress(shared);
        continue;
      }
      const ssize_t got = ::read(ends[0], buffer, sizeof buffer);
      if (got <= 0) break;
      reports.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    collect(reports);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      const bool hangs = WIFEXITED(status);
      failures_.push_back({shared.seed, hangs ? "hangs" : "crash",
                           hangs ? "it does not come to an end"
                                 : "the process died, wait status " + std::to_string(status)});
      ++shared.totals.seeds;
      shared.seed = shared.seed + 1;
    }
  }
  totals_ = shared.totals;
  totals_.failed = failures_.size();
  totals_.elapsed_s = nowSeconds() - started_s_;
  ::munmap(memory, sizeof(Shared));
  return totals_;
}

void Campaign::work(Shared& shared, int report) {
  std::uint64_t failed = failures_.size();
  while (true) {
    const std::uint64_t seed = shared.seed;
    const bool is_late = options_.minutes > 0 && nowSeconds() - started_s_ > options_.minutes * 60;
    if (is_late || seed - options_.first_seed >= options_.seeds ||
        failed >= options_.max_failures) {
      break;
    }
    const Scenario scenario = makeScenario(seed);
    Verdict verdict = runScenario(scenario, false);
    if (!verdict.hasFailed() && options_.twice_each != 0 && seed % options_.twice_each == 0) {
      ++shared.totals.twice;
      if (runScenario(scenario, false).hash != verdict.hash) {
        verdict.oracle = "same-trace";
        verdict.text = "two runs of the same seed went differently";
      }
    }
    Totals& totals = shared.totals;
    ++totals.seeds;
    totals.replies += verdict.replies;
    totals.broadcasts += verdict.broadcasts;
    totals.connections += verdict.connections;
    totals.drained += verdict.drained;
    totals.reloads += verdict.reloads;
    totals.steps += verdict.steps;
    totals.simulated_s += static_cast<double>(verdict.simulated_ns) / 1e9;
    if (verdict.hasFailed()) {
      ++failed;
      std::string line = std::to_string(seed) + "\t" + verdict.oracle + "\t";
      for (const char c : verdict.text) line.push_back(c == '\n' || c == '\t' ? ' ' : c);
      line += "\n";
      [[maybe_unused]] const ssize_t written = ::write(report, line.data(), line.size());
    }
    shared.seed = seed + 1;
  }
  shared.is_done = true;
}

void Campaign::collect(const std::string& reports) {
  for (std::size_t at = 0; at < reports.size();) {
    const std::size_t end = reports.find('\n', at);
    const std::string line = reports.substr(at, end - at);
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    failures_.push_back(
        {std::stoull(line), line.substr(first + 1, second - first - 1), line.substr(second + 1)});
    at = end + 1;
  }
}

void Campaign::showProgress(const Shared& shared) const {
  const double elapsed_s = nowSeconds() - started_s_;
  std::fprintf(stderr, "\r%llu seeds, %.0f s, %.0f seeds/s  ",
               static_cast<unsigned long long>(shared.totals.seeds), elapsed_s,
               static_cast<double>(shared.totals.seeds) / elapsed_s);
  std::fflush(stderr);
}

}  // namespace sub0::simulation
