// SPDX-License-Identifier: Apache-2.0
// Transfers by libpq alone: bench_raw_transfer URL SECONDS CONNECTIONS ACCOUNTS
// On each connection one transfer at a time: BEGIN, two updates, an insert and COMMIT go out as one
// batch, and the next follows when its sync has come back. Prints one JSON line: transfers,
// seconds, CPU per transfer of this client and of its server processes.
#include <string>
#include <utility>

#include "tests/bench/database/postgres_pipeline.hpp"

namespace {

using sub0::bench::PostgresPipeline;
using sub0::bench::require;

/// The statements of transfer/resources/transfer.json.
void prepare(PostgresPipeline& pipeline) {
  pipeline.prepare("begin", "BEGIN");
  pipeline.prepare("take", "UPDATE accounts SET balance = balance - $1 WHERE id = $2");
  pipeline.prepare("give", "UPDATE accounts SET balance = balance + $1 WHERE id = $2");
  pipeline.prepare("note", "INSERT INTO transfers (source, target, amount) VALUES ($1, $2, $3)");
  pipeline.prepare("commit", "COMMIT");
  pipeline.enter();
}

/// Pairs of accounts, the lower first, so that no two transfers wait for each other.
class Pairs {
 public:
  explicit Pairs(std::uint64_t accounts) : accounts_(accounts) {}
  std::pair<std::string, std::string> next() {
    const std::uint64_t source = 1 + random() % (accounts_ - 1);
    const std::uint64_t target = source + 1 + random() % (accounts_ - source);
    return {std::to_string(source), std::to_string(target)};
  }

 private:
  std::uint64_t random() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return state_ >> 33;
  }
  std::uint64_t accounts_;
  std::uint64_t state_ = 1;
};

void sendTransfer(PostgresPipeline& pipeline, Pairs& pairs) {
  const auto [source, target] = pairs.next();
  pipeline.send("begin", {});
  pipeline.send("take", {"1", source.c_str()});
  pipeline.send("give", {"1", target.c_str()});
  pipeline.send("note", {source.c_str(), target.c_str(), "1"});
  pipeline.send("commit", {});
  pipeline.sync();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: bench_raw_transfer URL SECONDS CONNECTIONS ACCOUNTS\n", stderr);
    return 2;
  }
  const std::size_t connection_count = std::stoul(argv[3]);
  Pairs pairs(std::stoul(argv[4]));
  const int epoll = ::epoll_create1(0);
  std::vector<PostgresPipeline> pipelines;
  std::vector<pid_t> processes{0};
  for (std::size_t i = 0; i < connection_count; ++i) {
    pipelines.emplace_back(argv[1]);
    prepare(pipelines.back());
    processes.push_back(pipelines.back().serverProcess());
    sub0::bench::watch(epoll, pipelines.back().descriptor(), i);
  }
  std::uint64_t sent = connection_count;
  std::uint64_t done = 0;
  sub0::bench::Window window(std::stod(argv[2]), processes);
  for (PostgresPipeline& pipeline : pipelines) sendTransfer(pipeline, pairs);
  std::vector<epoll_event> events(connection_count);
  for (bool goes_on = true; done < sent;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 10'000);
    require(count > 0, "no answer within ten seconds");
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      PostgresPipeline& pipeline = pipelines[events[i].data.u64];
      if (pipeline.take([](const PGresult*) {}) == 0) continue;
      ++done;
      if (!goes_on) continue;
      sendTransfer(pipeline, pairs);
      ++sent;
    }
    goes_on = goes_on && window.look(done);
  }
  sub0::bench::printPostgresFigures(window, connection_count, done);
}
