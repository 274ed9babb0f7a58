// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "poco_data/data_keeper.hpp"
#include "poco_data/data_session.hpp"

namespace sub0::query {

// A statement, or the end of a transaction, that waits for a thread.
struct DataRequest {
  sub0_ticket ticket = 0;
  std::uint64_t deadline_ns = 0;
  StatementPointer statement;  // none: a commit
  DataParameters parameters;
  bool must_not_write = false;
};

// Threads with a connection each, for databases whose clients block. A thread is made when there is
// work for it, up to a bound; what finds none free waits in the order of coming, for so long and so
// many at most, else it is `busy`. A call with `transaction` has a thread from its first
// statement to its end. What runs past its deadline is interrupted by one more thread, the watch,
// and its connection made anew. Runs are ended by the threads. THREAD: start, stop: [control];
// the rest: any.
class DataPool {
 public:
  struct Options {
    std::size_t connections = 8;
    std::uint64_t wait_ms = 5000;
  };

  DataPool(const HostPort& host, const DataSource& source, DataKeeper& keeper, Options options);
  ~DataPool() { stop(0); }
  DataPool(const DataPool&) = delete;
  DataPool& operator=(const DataPool&) = delete;

  void start();
  void stop(std::uint64_t deadline_ns);
  void add(DataRequest request);
  void addToCall(std::uint64_t call_id, DataRequest request);
  void commitCall(std::uint64_t call_id, sub0_ticket ticket, std::uint64_t deadline_ns);
  void rollbackCall(std::uint64_t call_id);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Outcome = DataSession::Outcome;

  struct Worker {
    std::unique_ptr<DataSession> session;
    std::uint64_t epoch = 0;  // of the keeper, when the session was made
    std::thread thread;
    // Under mutex_.
    TimePoint until = TimePoint::max();
    int attempts = 0;
    // Held while the session is interrupted, and when a piece of work begins and ends.
    std::mutex guard;
    std::uint64_t piece = 0;  // of work, counted; also under mutex_
    bool is_running = false;
    bool is_interrupted = false;
  };
  struct Call {
    std::optional<DataRequest> asked;
    std::condition_variable changed;
    Worker* worker = nullptr;  // that serves it now
    bool is_given_up = false;
    bool is_lost = false;
    bool has_connection_ended = false;  // with nothing under way
    TimePoint until{};
  };
  using CallPointer = std::shared_ptr<Call>;
  struct Waiting {
    DataRequest request;  // where call is null
    CallPointer call;
    TimePoint until;  // so long at most it waits
  };

  void work(Worker& worker);
  void serve(Worker& worker, DataRequest& request);
  void serveCall(Worker& worker, Call& call);
  std::optional<DataRequest> nextOf(Call& call);
  bool connect(Worker& worker, Failure& failure);
  void enter(Worker& worker, TimePoint until);
  bool leave(Worker& worker);  // whether it was interrupted
  Outcome executeIn(Worker& worker, const DataRequest& request);
  bool beginCall(Worker& worker, Call& call, const DataRequest& first);
  bool executeInCall(Worker& worker, Call& call, const DataRequest& request);
  void loseCall(Call& call, bool has_connection_ended);
  void end(const DataRequest& request, Outcome& outcome);
  void judge(Worker& worker, bool was_interrupted, bool may_have_changed, Outcome& outcome);

  bool push(Waiting waiting, Failure& failure);
  void failWaiting(Waiting& waiting, const Failure& failure);
  void watch();
  TimePoint lookAtDeadlines(std::unique_lock<std::mutex>& lock);
  struct Due {
    Worker* worker;
    std::uint64_t piece;
    int attempt;
  };
  void interrupt(const Due& due);
  TimePoint untilOf(std::uint64_t deadline_ns) const;
  void lookBy(TimePoint until);

  const HostPort& host_;
  const DataSource& source_;
  DataKeeper& keeper_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable ended_;
  std::condition_variable watch_changed_;
  std::deque<Waiting> waiting_;
  std::unordered_map<std::uint64_t, CallPointer> calls_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::thread watch_thread_;
  TimePoint next_look_ = TimePoint::max();
  std::size_t idle_ = 0;
  std::size_t running_ = 0;
  bool is_stopping_ = false;
  bool is_late_ = false;  // the deadline of stop has passed
  bool has_watch_ended_ = false;
};

}  // namespace sub0::query
