// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "auth/password_hash.hpp"
#include "base/address_key.hpp"
#include "base/error.hpp"
#include "call/call_counts.hpp"
#include "loop/loop.hpp"
#include "loop/mailbox.hpp"
#include "loop/pool.hpp"

namespace sub0::call {

/// One password that is to be hashed, or to be compared with a stored hash.
struct HashWork {
  auth::HashCost cost;
  std::string password;  // wiped once it has been used
  bool is_comparison = false;
  auth::HashSalt salt{};  // of a new hash
  std::string stored;     // of a comparison; empty: nothing matches, and it takes as long
  // What came of it:
  Code code = Code::kOk;
  std::string hash;
  bool is_match = false;
};

class Hashes;
class HashJob;

class HashWaiter {
 public:
  /// THREAD: the loop. The works of `job` are done; it lives until this returns. Not called after
  /// Hashes::abandon().
  virtual void onHashed(HashJob& job) = 0;

 protected:
  ~HashWaiter() = default;
};

/// What one call has asked for at once. The pool's thread has the works until the letter comes
/// back; whom it is for belongs to the loop alone, so a waiter that has gone is never touched.
class HashJob final : public loop::Letter {
 public:
  std::vector<HashWork>& works() { return works_; }
  void run() override;

 private:
  friend class Hashes;
  void work() noexcept;

  std::vector<HashWork> works_;
  HashWaiter* waiter_ = nullptr;  // the loop's; null: abandoned
  std::atomic<bool> is_abandoned_{false};
  std::shared_ptr<std::atomic<bool>> is_over_;  // Hashes has gone
  Hashes* hashes_ = nullptr;
  loop::Loop* loop_ = nullptr;
  std::int64_t begun_ns_ = 0;
};

/// The hashes of one loop (S-95): handed to the pool of hashes, which is small and apart from that
/// of plugins, and taken back by the mailbox. THREAD: the loop's. OWNERSHIP: loop and counts
/// outlive it; the pool is joined before the loop goes, and may outlive this.
class Hashes {
 public:
  /// `pool` null: everything is refused.
  Hashes(loop::Loop& loop, loop::Pool* pool, HashCounts& counts);
  ~Hashes();
  Hashes(const Hashes&) = delete;
  Hashes& operator=(const Hashes&) = delete;

  /// Null: too many wait already, or too many of `peer` (answer kBusy). The job is the loop's until
  /// onHashed() or abandon(). `peer`: whom it is for, so that nobody takes all places; 0: unknown.
  HashJob* submit(HashWaiter& waiter, std::vector<HashWork> works, AddressKey peer = 0);
  /// Nobody waits for it any more: what no thread has begun is not done.
  void abandon(HashJob& job);

  /// What a comparison with nothing should cost: as the last stored hash of that algorithm did, so
  /// that who is unknown is told as late as who is known.
  const auth::HashCost& usual(auth::HashAlgorithm algorithm) const {
    return usual_[static_cast<std::size_t>(algorithm)];
  }
  void setUsual(const auth::HashCost& cost) {
    usual_[static_cast<std::size_t>(cost.algorithm)] = cost;
  }

 private:
  friend class HashJob;
  void take(HashJob& job);

  loop::Loop& loop_;
  loop::Pool* const pool_;
  HashCounts& counts_;
  std::shared_ptr<std::atomic<bool>> is_over_;
  std::array<auth::HashCost, 2> usual_;
};

}  // namespace sub0::call
