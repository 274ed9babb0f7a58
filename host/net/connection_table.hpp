// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "loop/loop.hpp"
#include "net/connection.hpp"
#include "net/counters.hpp"
#include "net/guard.hpp"
#include "net/options.hpp"

namespace sub0::net {

/// The connections of one loop: a slab of slots with generations, so that an id never finds
/// somebody else, and the loop's work on them: one send for each touched in the flush phase,
/// resuming in the ready phase, freeing in the reap phase. Lists hold ids, but for those touched:
/// who is freed is taken out of them.
class ConnectionTable {
 public:
  /// OWNERSHIP: all must outlive the table.
  ConnectionTable(loop::Loop& loop, const Options& options, Counters& counters, Guard& guard);
  ~ConnectionTable();
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  /// Makes a record for an accepted socket; its protocol is made by `makeProtocol(Connection&)`.
  /// `ticket` is what it is counted for; it is given back when the connection is freed.
  Connection* add(const loop::Accepted& accepted, std::uint64_t number,
                  const Admissions::Ticket& ticket,
                  const std::function<std::unique_ptr<Protocol>(Connection&)>& make_protocol);
  /// The connection of that id, or null when it has gone.
  Connection* find(ConnectionId id);

  /// Closes and frees every connection. REQUIRES: not in a turn.
  void closeAll();
  /// Calls `visit` for every connection that is not closed.
  void forEach(const std::function<void(Connection&)>& visit);
  std::size_t size() const { return open_; }

  loop::Loop& loop() { return loop_; }
  const Options& options() const { return options_; }
  Counters& counters() { return counters_; }
  Guard& guard() { return guard_; }
  /// Counts a refusal that concerns `connection` and says it in the log.
  void refused(Refusal refusal, const Connection& connection);

  /// For Connection.
  void touched(Connection& connection) {
    if (flush_task_.first == nullptr) loop_.schedule(loop::Phase::kFlush, flush_task_);
    flush_task_.add(connection);
  }
  void resuming(Connection& connection);
  void closed(Connection& connection);
  std::unique_ptr<SendQueue> takeQueue() {
    if (spare_queues_.empty()) return std::make_unique<SendQueue>();
    auto queue = std::move(spare_queues_.back());
    spare_queues_.pop_back();
    return queue;
  }
  void giveBack(std::unique_ptr<SendQueue> queue) {
    if (!queue->isAsNew()) renew(*queue);
    if (spare_queues_.size() < kSpareQueues) spare_queues_.push_back(std::move(queue));
  }
  void releaseBudget(SendQueue& queue);
  void noteUnsent(SendQueue& queue);
  std::unique_ptr<Protocol>& successor() { return successor_; }

 private:
  static constexpr std::size_t kChunkSlots = 64;
  static constexpr std::size_t kSpareQueues = 256;

  /// A phase's work on a list of ids.
  class IdTask final : public loop::Task {
   public:
    IdTask(ConnectionTable& table, void (ConnectionTable::*work)(Connection&))
        : table_(table), work_(work) {}
    void run() override;
    std::vector<ConnectionId> ids;

   private:
    ConnectionTable& table_;
    void (ConnectionTable::*work_)(Connection&);
    std::vector<ConnectionId> batch_;
  };
  /// One send for each connection that has something to send.
  class FlushTask final : public loop::Task {
   public:
    void run() override;
    void add(Connection& connection) {
      connection.next_touched_ = nullptr;
      (first == nullptr ? first : last_->next_touched_) = &connection;
      last_ = &connection;
    }
    void forget(Connection& connection);
    Connection* first = nullptr;

   private:
    Connection* last_ = nullptr;
  };
  struct Slot {
    alignas(Connection) unsigned char memory[sizeof(Connection)];
    std::uint32_t generation = 0;
    bool is_used = false;
  };
  Slot& slotAt(std::uint32_t index) { return chunks_[index / kChunkSlots][index % kChunkSlots]; }
  Connection* connectionAt(Slot& slot) {
    return std::launder(reinterpret_cast<Connection*>(slot.memory));
  }
  void renew(SendQueue& queue);
  void resume(Connection& connection);
  void reap(Connection& connection);

  loop::Loop& loop_;
  const Options& options_;
  Counters& counters_;
  Guard& guard_;
  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t open_ = 0;
  std::vector<std::unique_ptr<SendQueue>> spare_queues_;
  std::unique_ptr<Protocol> successor_;
  FlushTask flush_task_;
  IdTask resume_task_;
  IdTask reap_task_;
};

}  // namespace sub0::net
