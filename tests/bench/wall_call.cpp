// SPDX-License-Identifier: Apache-2.0
// What the plugin wall costs: one run that builds a small result and ends at once, through a ticket
// (open, run, complete, outcome, close), against a direct call that builds and copies the same. By
//   bench_wall wall|direct RUNS      prints nanoseconds of CPU per run
// and, since instructions do not move with the machine's load, the difference of two RUNS under
//   valgrind --tool=callgrind --callgrind-out-file=/dev/null bench_wall wall RUNS
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "tests/unit/plugin/rig.hpp"

namespace sub0::plugin {
namespace {

const sub0_host* wall_host = nullptr;

sub0_value smallResult(const sub0_value& input, sub0_member* members) {
  members[0] = {json::toView("n"), json::integer(input.as.i + 1)};
  members[1] = {json::toView("text"), json::text("a small result")};
  return json::object(members, 2);
}

void runThroughWall(void*, const sub0_run* run) {
  sub0_member members[2];
  const sub0_value result = smallResult(run->inputs[0], members);
  wall_host->complete(wall_host, run->ticket, &result);
}

sub0_value runDirectly(const sub0_value* inputs, Arena& arena) {
  sub0_member members[2];
  return json::copy(smallResult(inputs[0], members), arena);
}

/// The sum of what the runs returned.
std::int64_t measureWall(std::int64_t runs) {
  test::ScriptedPlugin plugin("bench.wall", "BENCH", SUB0_COMPLETES_IN_RUN);
  plugin.handler.run = runThroughWall;
  test::Rig rig;
  if (!rig.registry.add(&plugin.descriptor) || !rig.start()) std::abort();
  wall_host = plugin.host;
  const PreparedAction& action = *rig.prepared("BENCH");
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < runs; ++i) {
    const sub0_value input = json::integer(i);
    sub0_run run{};
    run.struct_size = sizeof run;
    run.input_count = 1;
    run.inputs = &input;
    run.ticket = rig.tickets.open(rig.owner, action, rig.arena);
    if (rig.tickets.run(run) != RunState::kSettled) std::abort();
    sum += rig.tickets.outcome(run.ticket).value.as.members[0].value.as.i;
    rig.tickets.close(run.ticket);
    rig.arena.reset();
  }
  return sum;
}

std::int64_t measureDirect(std::int64_t runs) {
  sub0_value (*volatile call)(const sub0_value*, Arena&) = runDirectly;
  Arena arena;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < runs; ++i) {
    const sub0_value input = json::integer(i);
    sum += call(&input, arena).as.members[0].value.as.i;
    arena.reset();
  }
  return sum;
}

}  // namespace
}  // namespace sub0::plugin

int main(int argc, char** argv) {
  const std::string_view what = argc == 3 ? argv[1] : "";
  if (what != "wall" && what != "direct") {
    std::fprintf(stderr, "usage: bench_wall wall|direct RUNS\n");
    return 2;
  }
  const std::int64_t runs = std::atoll(argv[2]);
  const std::clock_t start = std::clock();
  const std::int64_t sum =
      what == "wall" ? sub0::plugin::measureWall(runs) : sub0::plugin::measureDirect(runs);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%s: %.1f ns of CPU per run, %lld runs, sum %lld\n", argv[1],
              seconds * 1e9 / static_cast<double>(runs), static_cast<long long>(runs),
              static_cast<long long>(sum));
  return 0;
}
