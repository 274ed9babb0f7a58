// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "tests/simulation/campaign.hpp"
#include "tests/simulation/shrink.hpp"

namespace sub0::simulation {
namespace {

constexpr const char* kHelp =
    R"(simulate [--seeds N] [--from S] [--minutes M]     simulate --seed S [--trace]     simulate --table FILE
  Runs the whole host on a simulated world: its clock, its sockets, its threads. Every run is made from its seed and
  repeats exactly. A seed that fails prints what failed, one command that repeats it, and the smallest run found that
  still fails in the same way, as a trace.
  --seeds N      how many seeds (500)          --from S      the first one (1)
  --minutes M    until then, however many      --seed S      this one alone
  --trace        with its trace                --twice       every seed twice (else every twentieth)
  --table FILE   the seeds of a table: SEED, a tab, what it found
  What a shrunk run leaves out: --without-clients N,… --without-steps N,… --without-faults NAME,… --without-drain
  --without-reload --one-loop
)";

struct Arguments {
  Campaign::Options campaign;
  Omissions omissions;
  bool is_single = false;
  std::uint64_t seed = 0;
  bool has_trace = false;
  std::string table;
};

[[noreturn]] void usageError(const std::string& text) {
  std::cerr << "simulate: " << text << " (see --help)\n";
  std::exit(2);
}

std::set<std::uint64_t> numbersOf(const std::string& list) {
  std::set<std::uint64_t> numbers;
  std::stringstream stream(list);
  for (std::string part; std::getline(stream, part, ',');) numbers.insert(std::stoull(part));
  return numbers;
}

std::uint32_t faultsOf(const std::string& list) {
  std::uint32_t faults = 0;
  std::stringstream stream(list);
  for (std::string part; std::getline(stream, part, ',');) {
    std::uint32_t bit = 0;
    while (bit < kFaultClasses && faultName(bit) != part) ++bit;
    if (bit == kFaultClasses) usageError("no class of faults is called " + part);
    faults |= 1U << bit;
  }
  return faults;
}

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  bool has_seeds = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 >= words.size()) usageError(word + " needs a value");
      return words[++i];
    };
    if (word == "--help" || word == "-h") {
      std::cout << kHelp;
      std::exit(0);
    } else if (word == "--seeds") {
      arguments.campaign.seeds = std::stoull(value());
      has_seeds = true;
    } else if (word == "--from") {
      arguments.campaign.first_seed = std::stoull(value());
    } else if (word == "--minutes") {
      arguments.campaign.minutes = std::stod(value());
    } else if (word == "--seed") {
      arguments.seed = std::stoull(value());
      arguments.is_single = true;
    } else if (word == "--trace") {
      arguments.has_trace = true;
    } else if (word == "--twice") {
      arguments.campaign.twice_each = 1;
    } else if (word == "--table") {
      arguments.table = value();
    } else if (word == "--without-clients") {
      arguments.omissions.clients = numbersOf(value());
    } else if (word == "--without-steps") {
      arguments.omissions.steps = numbersOf(value());
    } else if (word == "--without-faults") {
      arguments.omissions.faults = faultsOf(value());
    } else if (word == "--without-drain") {
      arguments.omissions.drain = true;
    } else if (word == "--without-reload") {
      arguments.omissions.reload = true;
    } else if (word == "--one-loop") {
      arguments.omissions.is_single_loop = true;
    } else {
      usageError("unknown argument " + word);
    }
  }
  if (arguments.campaign.minutes > 0 && !has_seeds) arguments.campaign.seeds = UINT64_MAX;
  return arguments;
}

void print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::cout << line << "\n";
}

/// What failed, how to repeat it, and the smallest run that still does.
void explain(std::uint64_t seed, const Omissions& omissions, const Verdict& verdict) {
  std::cout << "seed " << seed << " failed: " << verdict.oracle << ": " << verdict.text << "\n"
            << "repeat it:   ./dev simulate --seed " << seed << omissions.toArguments() << "\n";
  std::size_t attempts = 0;
  const Omissions smallest = shrink(seed, omissions, verdict, attempts);
  const Scenario scenario = makeScenario(seed, smallest);
  const Verdict small = runIsolated(scenario, true);
  std::cout << "shrunk (" << attempts << " runs): " << scenario.clients.size() << " clients, "
            << scenario.steps() << " steps: ./dev simulate --seed " << seed
            << smallest.toArguments() << " --trace\n";
  print(small.lines);
  std::cout << small.oracle << ": " << small.text << "\n";
}

int runOne(const Arguments& arguments) {
  const Scenario scenario = makeScenario(arguments.seed, arguments.omissions);
  const Verdict verdict = runIsolated(scenario, arguments.has_trace);
  print(verdict.lines);
  if (!verdict.hasFailed()) {
    std::cout << "seed " << arguments.seed << ": ok, trace " << std::hex << verdict.hash << "\n";
    return 0;
  }
  if (arguments.has_trace) {
    std::cout << verdict.oracle << ": " << verdict.text << "\n";
  } else {
    explain(arguments.seed, arguments.omissions, verdict);
  }
  return 1;
}

int runMany(const Arguments& arguments) {
  Campaign::Options options = arguments.campaign;
  options.shows_progress = ::isatty(STDERR_FILENO) != 0;
  Campaign campaign(options);
  const Totals totals = campaign.run();
  if (options.shows_progress) std::cerr << "\n";
  for (const Failure& failure : campaign.failures()) {
    std::cout << "seed " << failure.seed << ": " << failure.oracle << ": " << failure.text << "\n";
  }
  std::printf(
      "%llu seeds (%llu run twice), %llu failed; %.0f s, %.0f seeds/s, %.0f simulated s/s\n"
      "%llu connections, %llu replies, %llu broadcasts received, %llu drains in the middle, %llu "
      "reloads, %llu steps\n",
      static_cast<unsigned long long>(totals.seeds), static_cast<unsigned long long>(totals.twice),
      static_cast<unsigned long long>(totals.failed), totals.elapsed_s,
      static_cast<double>(totals.seeds) / totals.elapsed_s, totals.simulated_s / totals.elapsed_s,
      static_cast<unsigned long long>(totals.connections),
      static_cast<unsigned long long>(totals.replies),
      static_cast<unsigned long long>(totals.broadcasts),
      static_cast<unsigned long long>(totals.drained),
      static_cast<unsigned long long>(totals.reloads),
      static_cast<unsigned long long>(totals.steps));
  std::fflush(stdout);
  if (campaign.failures().empty()) return 0;
  const Failure& first = campaign.failures().front();
  Verdict verdict;
  verdict.oracle = first.oracle;
  verdict.text = first.text;
  explain(first.seed, {}, verdict);
  return 1;
}

int runTable(const Arguments& arguments) {
  std::ifstream file(arguments.table);
  if (!file) usageError("cannot read " + arguments.table);
  int failed = 0;
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    ++rows;
    const std::uint64_t seed = std::stoull(line);
    const Verdict verdict = runIsolated(makeScenario(seed), false);
    if (!verdict.hasFailed()) continue;
    ++failed;
    std::cout << "seed " << seed << ": " << verdict.oracle << ": " << verdict.text << "\n";
  }
  std::cout << rows << " named seeds, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sub0::simulation

int main(int count, char** words) {
  using namespace sub0::simulation;
  sub0::log::setSink([](std::string_view) {});
  const Arguments arguments = parse(std::vector<std::string>(words + 1, words + count));
  if (!arguments.table.empty()) return runTable(arguments);
  return arguments.is_single ? runOne(arguments) : runMany(arguments);
}
