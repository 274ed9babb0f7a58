// SPDX-License-Identifier: Apache-2.0
// What libpq alone can do: bench_raw_postgres URL SECONDS BATCH BATCHES QUERY PARAMETER EXPECTED
// One non-blocking connection in pipeline mode; QUERY is prepared once and runs with PARAMETER as
// $1, BATCH times before each sync, with BATCHES such batches under way. Every row must be
// EXPECTED. Prints one JSON line: calls, seconds, CPU per call of this client and of its server
// process.
#include <cstring>
#include <string>

#include "tests/bench/database/postgres_pipeline.hpp"

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fputs("usage: bench_raw_postgres URL SECONDS BATCH BATCHES QUERY PARAMETER EXPECTED\n",
               stderr);
    return 2;
  }
  const double seconds = std::stod(argv[2]);
  const std::size_t batch = std::stoul(argv[3]);
  const std::size_t batches = std::stoul(argv[4]);
  const char* expected = argv[7];
  sub0::bench::PostgresPipeline pipeline(argv[1]);
  pipeline.prepare("q", argv[5]);
  pipeline.enter();
  const auto sendBatches = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t call = 0; call < batch; ++call) pipeline.send("q", {argv[6]});
      pipeline.sync();
    }
  };
  std::uint64_t done = 0;
  const auto takeRow = [&](const PGresult* result) {
    const bool is_expected =
        PQntuples(result) == 1 && std::strcmp(PQgetvalue(result, 0, 0), expected) == 0;
    sub0::bench::require(is_expected, "another row than expected");
    ++done;
  };
  sub0::bench::Window window(seconds, {0, pipeline.serverProcess()});
  sendBatches(batches);
  while (window.look(done)) {
    pipeline.wait();
    sendBatches(pipeline.take(takeRow));
  }
  sub0::bench::printPostgresFigures(window, 1, done);
}
