// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <utility>
#include <vector>

#include "tests/bench/database/window.hpp"

// One libpq connection in pipeline mode that does not block: what the raw peers are made of. The
// statements are prepared before the pipeline is entered. A failure of any statement ends the
// process, so what is counted did happen. THREAD: one.
namespace sub0::bench {

class PostgresPipeline {
 public:
  explicit PostgresPipeline(const char* url) : connection_(PQconnectdb(url)) {
    check(PQstatus(connection_) == CONNECTION_OK);
  }
  PostgresPipeline(PostgresPipeline&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  ~PostgresPipeline() { PQfinish(connection_); }

  void prepare(const char* name, const char* statement) {
    PGresult* result = PQprepare(connection_, name, statement, 0, nullptr);
    check(PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
  }

  /// After the last `prepare`.
  void enter() {
    check(PQsetnonblocking(connection_, 1) == 0 && PQenterPipelineMode(connection_) == 1);
  }

  void send(const char* name, std::initializer_list<const char*> parameters) {
    check(PQsendQueryPrepared(connection_, name, static_cast<int>(parameters.size()),
                              parameters.begin(), nullptr, nullptr, 0) == 1);
  }

  /// Ends a batch and puts it on its way.
  void sync() { check(PQpipelineSync(connection_) == 1 && PQflush(connection_) >= 0); }

  /// Takes what the server has answered so far, each row's result through `onRow`; how many batches
  /// have ended.
  template <typename OnRow>
  std::size_t take(OnRow onRow) {
    check(PQflush(connection_) >= 0 && PQconsumeInput(connection_) == 1);
    std::size_t ended = 0;
    // Between two statements stands one null, after a sync none; two are the end of what is there.
    for (bool was_null = false; PQisBusy(connection_) == 0;) {
      PGresult* result = PQgetResult(connection_);
      if (result == nullptr) {
        if (was_null) break;
        was_null = true;
        continue;
      }
      was_null = false;
      const ExecStatusType status = PQresultStatus(result);
      check(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
            status == PGRES_PIPELINE_SYNC);
      if (status == PGRES_TUPLES_OK) onRow(result);
      ended += status == PGRES_PIPELINE_SYNC ? 1 : 0;
      PQclear(result);
    }
    return ended;
  }

  /// Until there is something to take, or room for what is unsent.
  void wait() {
    const int unsent = PQflush(connection_);
    check(unsent >= 0);
    const auto wanted = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    pollfd socket{PQsocket(connection_), wanted, 0};
    check(::poll(&socket, 1, 10'000) == 1);
  }

  int descriptor() const { return PQsocket(connection_); }
  pid_t serverProcess() const { return PQbackendPID(connection_); }

  /// Ends the process with libpq's message unless `holds`.
  void check(bool holds) const {
    if (holds) return;
    std::fprintf(stderr, "raw libpq: %s\n", PQerrorMessage(connection_));
    std::exit(1);
  }

 private:
  PGconn* connection_;
};

/// The one JSON line; process 0 of the window is the caller, the others are the server's.
inline void printPostgresFigures(const Window& window, std::size_t servers, std::uint64_t done) {
  double server_cpu_us = 0;
  for (std::size_t i = 1; i <= servers; ++i) server_cpu_us += window.cpuMicroseconds(i);
  std::printf(R"({"calls":%llu,"seconds":%.6f,"cpu_us":%.4f,"server_cpu_us":%.4f,"answered":%llu})"
              "\n",
              static_cast<unsigned long long>(window.count()), window.seconds(),
              window.cpuMicroseconds(0), server_cpu_us, static_cast<unsigned long long>(done));
}

}  // namespace sub0::bench
