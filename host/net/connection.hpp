// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "loop/loop.hpp"
#include "net/admissions.hpp"
#include "net/closed_record.hpp"
#include "net/counters.hpp"
#include "net/protocol.hpp"
#include "net/send_queue.hpp"

namespace sub0::net {

class ConnectionTable;

/// Slot and generation within a loop; 0 is none.
using ConnectionId = std::uint64_t;

/// Whether a message may stay in the output that it was just appended to.
enum class Admission : std::uint8_t {
  kAdmitted,
  kOverBudget,  // a single large message, and the process's budget is used up
  kOverLimit,   // the peer is too slow: close it
};

/// One client socket on one loop, which it never changes: reads into the loop's buffer, keeps what
/// is unsent, sends once per turn, watches deadlines with one timer, and ends in order. What the
/// bytes mean is its Protocol's matter. An idle one is this record and its protocol's, about 200
/// bytes. OWNERSHIP: the table's; freed in the reap phase only, so a pointer is good for the turn.
class Connection final : public loop::EventSink, private loop::Timer {
 public:
  Connection(ConnectionTable& table, std::uint32_t slot, std::uint32_t generation);
  ~Connection() override;

  ConnectionId id() const { return ConnectionId{generation_} << 32 | slot_; }
  /// Never used twice in the process ($CONNECTION.id).
  std::uint64_t number() const { return number_; }
  std::string_view peerAddress() const;
  /// Behind a trusted proxy: the client's own.
  void setPeerAddress(std::string_view address);
  ConnectionTable& table() { return table_; }

  /// What it is counted for; given back when it is freed.
  Admissions::Ticket& ticket() { return ticket_; }
  /// Its first request is whole: it is not pending any more.
  void establish();
  /// Null where nobody reads it.
  ClosedRecord* record() { return record_.get(); }

  /// Takes the socket over. False: it cannot be watched (closed).
  bool open(const loop::Accepted& accepted, std::uint64_t number,
            std::unique_ptr<Protocol> protocol);
  /// Whether the protocol may still write: neither finishing nor closed.
  bool isOpen() const { return state_ == State::kOpen; }
  bool isClosed() const { return state_ == State::kClosed; }
  Protocol& protocol() { return *protocol_; }

  /// The output to append to; what is there goes out at the end of the turn.
  SendQueue& output();
  /// Appends a message that others are sent as well, and judges it as admit() does. Most receivers
  /// of a broadcast have nothing else to send in a turn: they need no queue.
  Admission share(const SharedBytes& message);
  std::size_t unsentBytes() const {
    return queue_ ? queue_->bytes() : only_message_ ? only_message_->size() : 0;
  }
  /// Judges the message of `message_bytes` appended last.
  Admission admit(std::size_t message_bytes);
  /// Sends now, if the kernel has room.
  void flush();
  bool isBlocked() const { return is_blocked_; }

  /// Calls onDeadline() once, `delay_ms` from now; replaces the one set before.
  void setDeadline(std::uint64_t delay_ms);
  void clearDeadline() { deadline_ms_ = 0; }

  /// Whether input is read.
  void setReading(bool is_reading);
  bool isReading() const { return is_reading_; }
  /// What the protocol holds of input that is unfinished or waits, in all: steps of 16 KiB count
  /// against the process's budget. False: that is used up; what is held beyond has to go.
  bool holdInput(std::size_t held_bytes) {
    const std::size_t steps = held_bytes / kInputStepBytes;
    return steps == input_steps_ || reserveInput(steps);
  }
  /// Calls onResume() in the ready phase, once however often it is asked.
  void resumeLater();
  /// The same, once less than the soft mark is unsent.
  void resumeWhenSent() { wants_resume_ = true; }
  /// Within onInput or onResume: `successor` gets the rest of the input.
  void become(std::unique_ptr<Protocol> successor);
  /// Gives input that was held back to the protocol (and its successor).
  void feed(std::span<char> input);

  /// Why it ends, whatever ends it in the end: the first reason stands.
  void endsBecause(CloseReason reason);
  /// In order: what is unsent, FIN, the peer's FIN, all within `deadline_ms`; input is dropped.
  void finish(CloseReason reason, std::uint64_t deadline_ms);
  /// The same without hurry: the stall deadline guards the sending, the close deadline begins with
  /// FIN.
  void finishWhenSent(CloseReason reason);
  /// At once.
  void abort(CloseReason reason);

  /// The turn's clock.
  std::int64_t nowMs() const;

 private:
  friend class ConnectionTable;
  enum class State : std::uint8_t { kOpen, kFinishing, kLingering, kClosed };

  static constexpr std::size_t kInputStepBytes = std::size_t{16} << 10;

  bool reserveInput(std::size_t steps);
  void onEvent(std::uint32_t flags) override;
  void onTimer() override;
  void read();
  void discardInput();
  void touch();
  void fillQueue();
  loop::IoStatus sendOnlyMessage(std::size_t& sent_bytes);
  void noteSent(std::size_t sent_bytes);
  void allSent();
  void setBlocked(bool is_blocked);
  void updateInterest();
  void armTimer();
  void leaveOpen(CloseReason reason);
  void startFinishing(CloseReason reason);

  ConnectionTable& table_;
  loop::WatchHandle watch_ = 0;
  std::uint32_t slot_;
  std::uint32_t generation_;
  int descriptor_ = -1;
  State state_ = State::kClosed;
  CloseReason reason_ = CloseReason::kReset;
  bool is_reading_ : 1 = true;
  bool is_blocked_ : 1 = false;  // the kernel's buffer is full: kWritable is watched
  bool is_touched_ : 1 = false;
  bool is_resuming_ : 1 = false;
  bool wants_resume_ : 1 = false;
  bool has_input_ended_ : 1 = false;
  bool has_reason_ : 1 = false;
  bool lingers_when_sent_ : 1 = false;  // the close deadline begins with FIN
  std::uint8_t interest_ = 0;
  std::uint8_t address_size_ = 0;
  std::uint32_t input_steps_ = 0;       // reserved of the budget for input
  Connection* next_touched_ = nullptr;  // of those that the table flushes in this turn
  std::unique_ptr<SendQueue> queue_;
  SharedBytes only_message_;  // all that there is to send in this turn; then there is no queue
  std::unique_ptr<Protocol> protocol_;
  std::uint64_t number_ = 0;
  Admissions::Ticket ticket_;
  std::unique_ptr<ClosedRecord> record_;
  std::int64_t deadline_ms_ = 0;  // 0: none
  std::int64_t armed_ms_ = 0;     // when the timer fires; it may be early
  char address_[16] = {};         // longer ones: long_address_
  std::unique_ptr<std::string> long_address_;
};

}  // namespace sub0::net
