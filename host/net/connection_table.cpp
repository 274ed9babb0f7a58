// SPDX-License-Identifier: Apache-2.0
#include "net/connection_table.hpp"

#include <cassert>
#include <new>
#include <utility>

namespace sub0::net {

ConnectionTable::ConnectionTable(loop::Loop& loop, const Options& options, Counters& counters,
                                 Guard& guard)
    : loop_(loop),
      options_(options),
      counters_(counters),
      guard_(guard),
      resume_task_(*this, &ConnectionTable::resume),
      reap_task_(*this, &ConnectionTable::reap) {}

ConnectionTable::~ConnectionTable() { closeAll(); }

void ConnectionTable::closeAll() {
  forEach([](Connection& connection) { connection.abort(CloseReason::kDrain); });
  reap_task_.run();
  assert(open_ == 0);
}

Connection* ConnectionTable::add(
    const loop::Accepted& accepted, std::uint64_t number, const Admissions::Ticket& ticket,
    const std::function<std::unique_ptr<Protocol>(Connection&)>& make_protocol) {
  if (free_slots_.empty()) {
    const auto first = static_cast<std::uint32_t>(chunks_.size() * kChunkSlots);
    chunks_.push_back(std::make_unique<Slot[]>(kChunkSlots));
    for (std::uint32_t i = kChunkSlots; i > 0; --i) free_slots_.push_back(first + i - 1);
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slotAt(index);
  assert(!slot.is_used);
  if (++slot.generation == 0) slot.generation = 1;
  slot.is_used = true;
  ++open_;
  auto* connection = new (slot.memory) Connection(*this, index, slot.generation);
  connection->ticket_ = ticket;
  counters_.open_connections.add();
  return connection->open(accepted, number, make_protocol(*connection)) ? connection : nullptr;
}

Connection* ConnectionTable::find(ConnectionId id) {
  const auto index = static_cast<std::uint32_t>(id);
  if (index >= chunks_.size() * kChunkSlots) return nullptr;
  Slot& slot = slotAt(index);
  const bool is_current = slot.is_used && slot.generation == static_cast<std::uint32_t>(id >> 32);
  return is_current ? connectionAt(slot) : nullptr;
}

void ConnectionTable::forEach(const std::function<void(Connection&)>& visit) {
  for (std::size_t i = 0; i < chunks_.size() * kChunkSlots; ++i) {
    Slot& slot = slotAt(static_cast<std::uint32_t>(i));
    if (slot.is_used && !connectionAt(slot)->isClosed()) visit(*connectionAt(slot));
  }
}

void ConnectionTable::IdTask::run() {
  batch_.swap(ids);
  for (const ConnectionId id : batch_) {
    if (Connection* connection = table_.find(id)) (table_.*work_)(*connection);
  }
  batch_.clear();
}

void ConnectionTable::FlushTask::run() {
  Connection* next = std::exchange(first, nullptr);  // who is touched from here on comes next time
  while (next != nullptr) {  // nothing is freed in here: that is the reap phase's
    Connection& connection = *next;
    next = connection.next_touched_;
    connection.is_touched_ = false;
    connection.flush();
  }
}

void ConnectionTable::FlushTask::forget(Connection& connection) {
  Connection* next = std::exchange(first, nullptr);
  while (next != nullptr) {
    Connection& kept = *next;
    next = kept.next_touched_;
    if (&kept != &connection) add(kept);
  }
}

void ConnectionTable::refused(Refusal refusal, const Connection& connection) {
  guard_.refused(counters_, refusal, connection.peerAddress(), loop_.nowNs());
}

void ConnectionTable::resuming(Connection& connection) {
  resume_task_.ids.push_back(connection.id());
  loop_.schedule(loop::Phase::kReady, resume_task_);
}

void ConnectionTable::closed(Connection& connection) {
  reap_task_.ids.push_back(connection.id());
  loop_.schedule(loop::Phase::kReap, reap_task_);
}

void ConnectionTable::resume(Connection& connection) {
  connection.is_resuming_ = false;
  if (!connection.isOpen()) return;
  connection.protocol_->onResume();
  connection.feed({});
}

void ConnectionTable::reap(Connection& connection) {
  assert(connection.isClosed());
  connection.protocol_->onReaped();
  if (connection.queue_) giveBack(std::move(connection.queue_));
  connection.holdInput(0);
  loop_.io().close(connection.descriptor_);
  guard_.admissions.leave(connection.ticket_);
  if (connection.record_) {
    connection.record_->write(options_, connection.number_, connection.peerAddress(),
                              connection.protocol_->name(), connection.reason_, loop_.nowNs());
  }
  if (connection.is_touched_) flush_task_.forget(connection);
  const std::uint32_t index = connection.slot_;
  connection.~Connection();
  slotAt(index).is_used = false;
  free_slots_.push_back(index);
  --open_;
  counters_.open_connections.subtract();
}

void ConnectionTable::releaseBudget(SendQueue& queue) {
  if (queue.budget_bytes != 0) guard_.unsent_budget.release(std::exchange(queue.budget_bytes, 0));
}

void ConnectionTable::noteUnsent(SendQueue& queue) {
  const std::size_t bytes = queue.bytes();
  counters_.traffic.unsent_bytes.add(bytes);
  counters_.traffic.unsent_bytes.subtract(std::exchange(queue.noted_bytes, bytes));
}

void ConnectionTable::renew(SendQueue& queue) {
  releaseBudget(queue);
  queue.clear();
  if (queue.noted_bytes != 0) noteUnsent(queue);
}

}  // namespace sub0::net
