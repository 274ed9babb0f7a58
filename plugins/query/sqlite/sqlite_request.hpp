// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "deadline.hpp"
#include "engine.hpp"
#include "sqlite/sqlite_values.hpp"

namespace sub0::query {

// A statement that waits for its turn, with what it needs when that comes.
struct SqliteRequest {
  sub0_ticket ticket = 0;
  std::uint64_t deadline_ns = 0;
  StatementPointer statement;
  SqliteParameters parameters;
  bool must_not_write = false;
};

// What is left for a statement on a thread of its own; it ends a little before the deadline, so
// that the host need not end it. Not positive: too late.
inline std::chrono::nanoseconds timeLeft(std::uint64_t deadline_ns, std::uint64_t now_ns) {
  const std::uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
  return std::chrono::nanoseconds(left_ns - marginNs(left_ns));
}

// Waits on a thread of its own for somebody else's lock: a little longer each time.
inline std::chrono::milliseconds pauseBetweenLooks(int looks_so_far) {
  return std::chrono::milliseconds(std::min(looks_so_far + 1, 5));
}

inline Failure waitedPastDeadline() {
  return Failure{SUB0_TIMEOUT, "the statement waited past the deadline", ""};
}
inline Failure isLocked() {
  return Failure{SUB0_BUSY, "another process holds the lock of the database file",
                 "the database is busy"};
}
inline Failure mustNotWrite(const Statement& statement) {
  return Failure{SUB0_METHOD_NOT_ALLOWED,
                 statement.place + ": the statement writes, the call must not", kMustNotWrite};
}

}  // namespace sub0::query
