// SPDX-License-Identifier: Apache-2.0
// What libpq alone can do: bench_raw_postgres URL SECONDS BATCH BATCHES QUERY PARAMETER EXPECTED
// One non-blocking connection in pipeline mode; QUERY is prepared once and runs with PARAMETER as
// $1, BATCH times before each sync, with BATCHES such batches under way. Every row must be
// EXPECTED. Prints one JSON line: calls, seconds, CPU per call of this client and of its server
// process.
#include <libpq-fe.h>
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/bench/database/window.hpp"

namespace {

class Pipeline {
 public:
  explicit Pipeline(const char* url) : connection_(PQconnectdb(url)) {
    check(PQstatus(connection_) == CONNECTION_OK);
  }
  ~Pipeline() { PQfinish(connection_); }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  void prepare(const char* query) {
    PGresult* result = PQprepare(connection_, "q", query, 0, nullptr);
    check(PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
    check(PQsetnonblocking(connection_, 1) == 0 && PQenterPipelineMode(connection_) == 1);
  }

  void sendBatch(std::size_t calls, const char* parameter) {
    for (std::size_t i = 0; i < calls; ++i) {
      check(PQsendQueryPrepared(connection_, "q", 1, &parameter, nullptr, nullptr, 0) == 1);
    }
    check(PQpipelineSync(connection_) == 1);
  }

  /// Takes the results of one batch, up to its sync; how many rows.
  std::size_t takeBatch(const char* expected) {
    std::size_t rows = 0;
    while (true) {
      waitForResult();
      PGresult* result = PQgetResult(connection_);
      if (result == nullptr) continue;  // between two statements
      const ExecStatusType status = PQresultStatus(result);
      if (status == PGRES_TUPLES_OK) {
        check(PQntuples(result) == 1 && std::strcmp(PQgetvalue(result, 0, 0), expected) == 0);
        ++rows;
      }
      PQclear(result);
      if (status == PGRES_PIPELINE_SYNC) return rows;
      check(status == PGRES_TUPLES_OK);
    }
  }

  pid_t serverProcess() const { return PQbackendPID(connection_); }

 private:
  void waitForResult() {
    while (PQisBusy(connection_) == 1) {
      const int unsent = PQflush(connection_);
      check(unsent >= 0);
      pollfd wanted{PQsocket(connection_),
                    static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), 0};
      check(::poll(&wanted, 1, 10'000) == 1);
      check(PQconsumeInput(connection_) == 1);
    }
  }

  void check(bool holds) const {
    if (holds) return;
    std::fprintf(stderr, "raw libpq: %s\n", PQerrorMessage(connection_));
    std::exit(1);
  }

  PGconn* connection_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fputs("usage: bench_raw_postgres URL SECONDS BATCH BATCHES QUERY PARAMETER EXPECTED\n",
               stderr);
    return 2;
  }
  const double seconds = std::stod(argv[2]);
  const std::size_t batch = std::stoul(argv[3]);
  const std::size_t batches = std::stoul(argv[4]);
  Pipeline pipeline(argv[1]);
  pipeline.prepare(argv[5]);
  std::uint64_t done = 0;
  sub0::bench::Window window(seconds, {0, pipeline.serverProcess()});
  for (std::size_t i = 0; i < batches; ++i) pipeline.sendBatch(batch, argv[6]);
  while (window.look(done)) {
    done += pipeline.takeBatch(argv[7]);
    pipeline.sendBatch(batch, argv[6]);
  }
  for (std::size_t i = 0; i < batches; ++i) done += pipeline.takeBatch(argv[7]);
  std::printf(R"({"calls":%llu,"seconds":%.6f,"cpu_us":%.4f,"server_cpu_us":%.4f})"
              "\n",
              static_cast<unsigned long long>(window.count()), window.seconds(),
              window.cpuMicroseconds(0), window.cpuMicroseconds(1));
}
