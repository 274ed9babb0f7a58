// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "loop/loop.hpp"
#include "net/connection.hpp"
#include "net/counters.hpp"
#include "net/options.hpp"

namespace sub0::net {

/// The bytes of messages over the hard mark that wait in the whole process. Any thread.
class UnsentBudget {
 public:
  explicit UnsentBudget(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  bool reserve(std::size_t size_bytes);
  void release(std::size_t size_bytes) { used_bytes_.fetch_sub(size_bytes); }

 private:
  const std::size_t limit_bytes_;
  std::atomic<std::size_t> used_bytes_{0};
};

/// The connections of one loop: a slab of slots with generations, so that an id never finds
/// somebody else, and the loop's work on them: one send for each touched in the flush phase,
/// resuming in the ready phase, freeing in the reap phase. Lists hold ids, never pointers.
class ConnectionTable {
 public:
  /// OWNERSHIP: all must outlive the table.
  ConnectionTable(loop::Loop& loop, const Options& options, Counters& counters,
                  UnsentBudget& budget);
  ~ConnectionTable();
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  /// Makes a record for an accepted socket; its protocol is made by `makeProtocol(Connection&)`.
  Connection* add(const loop::Accepted& accepted, std::uint64_t number,
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
  UnsentBudget& budget() { return budget_; }

  /// For Connection.
  void touched(Connection& connection);
  void resuming(Connection& connection);
  void closed(Connection& connection);
  std::unique_ptr<SendQueue> takeQueue();
  void giveBack(std::unique_ptr<SendQueue> queue);
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
  struct Slot {
    alignas(Connection) unsigned char memory[sizeof(Connection)];
    std::uint32_t generation = 0;
    bool is_used = false;
  };
  Slot& slotAt(std::uint32_t index) { return chunks_[index / kChunkSlots][index % kChunkSlots]; }
  Connection* connectionAt(Slot& slot) {
    return std::launder(reinterpret_cast<Connection*>(slot.memory));
  }
  void flush(Connection& connection);
  void resume(Connection& connection);
  void reap(Connection& connection);

  loop::Loop& loop_;
  const Options& options_;
  Counters& counters_;
  UnsentBudget& budget_;
  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t open_ = 0;
  std::vector<std::unique_ptr<SendQueue>> spare_queues_;
  std::unique_ptr<Protocol> successor_;
  IdTask flush_task_;
  IdTask resume_task_;
  IdTask reap_task_;
};

}  // namespace sub0::net
