// SPDX-License-Identifier: Apache-2.0
#include "net/connection.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "base/time_units.hpp"
#include "net/connection_table.hpp"

namespace sub0::net {

Connection::Connection(ConnectionTable& table, std::uint32_t slot, std::uint32_t generation)
    : table_(table), slot_(slot), generation_(generation) {}

Connection::~Connection() = default;

bool Connection::open(const loop::Accepted& accepted, std::uint64_t number,
                      std::unique_ptr<Protocol> protocol) {
  descriptor_ = accepted.descriptor;
  number_ = number;
  record_ = ClosedRecord::make(table_.options(), table_.loop().nowNs());
  protocol_ = std::move(protocol);
  setPeerAddress({accepted.address, accepted.address_size});
  state_ = State::kOpen;
  interest_ = loop::kReadable;
  watch_ = table_.loop().watch(descriptor_, interest_, *this);
  if (watch_ == 0) {
    abort(CloseReason::kReset);
    return false;
  }
  return true;
}

void Connection::setPeerAddress(std::string_view address) {
  if (address.size() > sizeof address_) {
    long_address_ = std::make_unique<std::string>(address);
    return;
  }
  long_address_.reset();
  address_size_ = static_cast<std::uint8_t>(address.size());
  std::memcpy(address_, address.data(), address.size());
}

std::string_view Connection::peerAddress() const {
  return long_address_ ? std::string_view(*long_address_)
                       : std::string_view(address_, address_size_);
}

void Connection::establish() {
  if (ticket_.is_pending) table_.guard().admissions.establish(ticket_);
}

std::int64_t Connection::nowMs() const { return table_.loop().nowNs() / kNsPerMs; }

void Connection::onEvent(std::uint32_t flags) {
  if (state_ == State::kClosed) return;
  if ((flags & loop::kWritable) != 0 && is_blocked_) {
    setBlocked(false);
    touch();
  }
  if ((flags & (loop::kReadable | loop::kHangup)) == 0) return;
  if (state_ == State::kOpen && is_reading_ && !has_input_ended_) {
    read();
  } else if (state_ != State::kOpen && !has_input_ended_) {
    discardInput();
  } else if ((flags & loop::kHangup) != 0) {
    abort(CloseReason::kReset);
  }
}

void Connection::read() {
  const std::size_t room = std::min(protocol_->readRoomBytes(), loop::Loop::kReadBytes);
  if (room == 0) {
    setReading(false);
    return;
  }
  char* buffer = table_.loop().readBuffer();
  const loop::IoResult result = table_.loop().io().receive(descriptor_, buffer, room);
  switch (result.status) {
    case loop::IoStatus::kOk:
      table_.counters().traffic.received_bytes.add(result.bytes);
      if (record_) record_->bytes_in += result.bytes;
      feed({buffer, result.bytes});
      return;
    case loop::IoStatus::kWouldBlock:
      return;
    case loop::IoStatus::kClosed:
      has_input_ended_ = true;
      updateInterest();
      protocol_->onEndOfInput();
      return;
    case loop::IoStatus::kExhausted:
    case loop::IoStatus::kFailed:
      abort(CloseReason::kReset);
      return;
  }
}

void Connection::feed(std::span<char> input) {
  if (!input.empty()) protocol_->onInput(input);
  while (table_.successor()) {
    protocol_ = std::move(table_.successor());
    holdInput(0);
    if (!input.empty() && isOpen()) protocol_->onInput(input);
  }
}

void Connection::become(std::unique_ptr<Protocol> successor) {
  assert(!table_.successor());
  table_.successor() = std::move(successor);
}

void Connection::discardInput() {
  char* buffer = table_.loop().readBuffer();
  const loop::IoResult result =
      table_.loop().io().receive(descriptor_, buffer, loop::Loop::kReadBytes);
  if (result.status == loop::IoStatus::kOk || result.status == loop::IoStatus::kWouldBlock) return;
  has_input_ended_ = true;
  if (result.status != loop::IoStatus::kClosed || state_ == State::kLingering) {
    abort(reason_);
  } else {
    updateInterest();
  }
}

SendQueue& Connection::output() {
  if (!queue_) fillQueue();
  touch();
  return *queue_;
}

inline void Connection::fillQueue() {
  queue_ = table_.takeQueue();
  if (!only_message_) return;
  queue_->append(only_message_);
  only_message_.reset();
}

Admission Connection::share(const SharedBytes& message) {
  if (queue_ || only_message_ || message->size() > table_.options().hard_unsent_bytes) {
    output().append(message);
    return admit(message->size());
  }
  only_message_ = message;
  touch();
  return Admission::kAdmitted;
}

inline void Connection::touch() {
  if (is_touched_) return;
  is_touched_ = true;
  table_.touched(*this);
}

Admission Connection::admit(std::size_t message_bytes) {
  assert(queue_ && queue_->bytes() >= message_bytes);
  const std::size_t limit_bytes = table_.options().hard_unsent_bytes;
  if (queue_->bytes() <= limit_bytes + queue_->budget_bytes) return Admission::kAdmitted;
  const bool is_large = message_bytes > limit_bytes;
  if (is_large && !table_.guard().unsent_budget.reserve(message_bytes)) {
    table_.refused(Refusal::kUnsentBudget, *this);
    return Admission::kOverBudget;
  }
  if (is_large) queue_->budget_bytes += message_bytes;
  flush();
  if (!queue_) return Admission::kAdmitted;
  // A large message may stay if it came to an empty queue; small ones may follow it.
  const std::size_t allowed_bytes = is_large ? message_bytes : limit_bytes + queue_->budget_bytes;
  if (queue_->bytes() <= allowed_bytes) return Admission::kAdmitted;
  table_.refused(Refusal::kUnsent, *this);
  return Admission::kOverLimit;
}

/// The message that is alone; whatever the kernel does not take is in queue_ then.
inline loop::IoStatus Connection::sendOnlyMessage(std::size_t& sent_bytes) {
  const iovec part{const_cast<char*>(only_message_->data()), only_message_->size()};
  const loop::IoResult result = table_.loop().io().send(descriptor_, &part, 1);
  sent_bytes = result.status == loop::IoStatus::kOk ? result.bytes : 0;
  if (sent_bytes == part.iov_len) {
    only_message_.reset();
    return loop::IoStatus::kOk;
  }
  fillQueue();
  queue_->skip(sent_bytes);
  return result.status == loop::IoStatus::kOk ? loop::IoStatus::kWouldBlock : result.status;
}

inline void Connection::noteSent(std::size_t sent_bytes) {
  table_.counters().traffic.sent_bytes.add(sent_bytes);
  if (record_) record_->bytes_out += sent_bytes;
}

void Connection::flush() {
  if (state_ == State::kClosed) return;
  std::size_t sent_bytes = 0;
  loop::IoStatus status;
  if (only_message_) {
    status = sendOnlyMessage(sent_bytes);
    noteSent(sent_bytes);
    if (status == loop::IoStatus::kOk) return allSent();
  } else {
    if (!queue_) return;
    if (is_blocked_) return table_.noteUnsent(*queue_);
    const bool was_slow = queue_->stall_due_ms != 0;
    status = queue_->send(table_.loop().io(), descriptor_, sent_bytes);
    noteSent(sent_bytes);
    if (status == loop::IoStatus::kOk) {
      table_.giveBack(std::move(queue_));
      allSent();
      if (was_slow && state_ == State::kOpen) protocol_->onCaughtUp();
      return;
    }
  }
  if (status == loop::IoStatus::kFailed || status == loop::IoStatus::kClosed) {
    abort(state_ == State::kOpen ? CloseReason::kReset : reason_);
    return;
  }
  if (queue_->bytes() <= table_.options().hard_unsent_bytes) table_.releaseBudget(*queue_);
  if (sent_bytes > 0 || queue_->stall_due_ms == 0) {
    queue_->stall_due_ms = nowMs() + static_cast<std::int64_t>(table_.options().stall_deadline_ms);
    armTimer();
  }
  table_.noteUnsent(*queue_);
  setBlocked(true);
  if (wants_resume_ && queue_->bytes() < table_.options().soft_unsent_bytes) resumeLater();
}

inline void Connection::allSent() {
  if (wants_resume_) resumeLater();
  if (state_ != State::kFinishing) return;
  table_.loop().io().shutdownWrite(descriptor_);
  state_ = State::kLingering;
  if (has_input_ended_) {
    abort(reason_);
  } else if (lingers_when_sent_) {
    setDeadline(table_.options().close_deadline_ms);
  }
}

bool Connection::reserveInput(std::size_t steps) {
  Budget& budget = table_.guard().input_budget;
  if (steps < input_steps_) {
    budget.release((input_steps_ - steps) * kInputStepBytes);
  } else if (!budget.reserve((steps - input_steps_) * kInputStepBytes)) {
    table_.refused(Refusal::kInputBudget, *this);
    return false;
  }
  input_steps_ = static_cast<std::uint32_t>(steps);
  return true;
}

void Connection::resumeLater() {
  wants_resume_ = false;
  if (is_resuming_ || state_ != State::kOpen) return;
  is_resuming_ = true;
  table_.resuming(*this);
}

void Connection::setReading(bool is_reading) {
  is_reading_ = is_reading;
  updateInterest();
}

void Connection::setBlocked(bool is_blocked) {
  is_blocked_ = is_blocked;
  updateInterest();
}

void Connection::updateInterest() {
  if (state_ == State::kClosed) return;
  const bool is_reading = !has_input_ended_ && (is_reading_ || state_ != State::kOpen);
  const auto interest = static_cast<std::uint8_t>((is_reading ? loop::kReadable : 0) |
                                                  (is_blocked_ ? loop::kWritable : 0));
  if (interest == interest_) return;
  interest_ = interest;
  table_.loop().rewatch(watch_, interest);
}

void Connection::setDeadline(std::uint64_t delay_ms) {
  deadline_ms_ = nowMs() + static_cast<std::int64_t>(delay_ms);
  armTimer();
}

void Connection::armTimer() {
  std::int64_t due_ms = deadline_ms_;
  if (queue_ && queue_->stall_due_ms != 0 && (due_ms == 0 || queue_->stall_due_ms < due_ms)) {
    due_ms = queue_->stall_due_ms;
  }
  if (due_ms == 0 || (isRunning() && armed_ms_ <= due_ms)) return;
  armed_ms_ = due_ms;
  table_.loop().startTimer(*this, std::max<std::int64_t>(due_ms - nowMs(), 0));
}

void Connection::onTimer() {
  if (state_ == State::kClosed) return;
  const std::int64_t now_ms = nowMs();
  if (queue_ && queue_->stall_due_ms != 0 && queue_->stall_due_ms <= now_ms) {
    table_.refused(Refusal::kUnsent, *this);
    abort(state_ == State::kOpen ? CloseReason::kSlowReader : reason_);
    return;
  }
  if (deadline_ms_ != 0 && deadline_ms_ <= now_ms) {
    deadline_ms_ = 0;
    if (state_ != State::kOpen) {
      abort(reason_);
      return;
    }
    protocol_->onDeadline();
    if (state_ == State::kClosed) return;
  }
  armTimer();
}

void Connection::endsBecause(CloseReason reason) {
  if (has_reason_) return;
  has_reason_ = true;
  reason_ = reason;
}

void Connection::leaveOpen(CloseReason reason) {
  if (state_ != State::kOpen) return;
  endsBecause(reason);
  table_.counters().closed[static_cast<std::size_t>(reason_)].add();
}

void Connection::startFinishing(CloseReason reason) {
  leaveOpen(reason);
  state_ = State::kFinishing;
  protocol_->onClosed();
  output();  // touched: flushed at the end of the turn, then FIN
  updateInterest();
}

void Connection::finish(CloseReason reason, std::uint64_t deadline_ms) {
  if (state_ != State::kOpen) return;
  startFinishing(reason);
  setDeadline(deadline_ms);
}

void Connection::finishWhenSent(CloseReason reason) {
  if (state_ != State::kOpen) return;
  startFinishing(reason);
  clearDeadline();
  lingers_when_sent_ = true;
}

void Connection::abort(CloseReason reason) {
  if (state_ == State::kClosed) return;
  const bool was_open = isOpen();
  leaveOpen(reason);
  state_ = State::kClosed;
  if (was_open) protocol_->onClosed();
  stop();
  table_.loop().unwatch(watch_);
  table_.closed(*this);
}

}  // namespace sub0::net
