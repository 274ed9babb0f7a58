// SPDX-License-Identifier: Apache-2.0
#include "call/hashes.hpp"

#include <cassert>
#include <exception>
#include <utility>

namespace sub0::call {
namespace {

constexpr std::uint32_t kUsualRounds = 12;

/// A password, or what tells of one: not left in memory that is given back.
void wipe(std::string& text) {
  volatile char* const bytes = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = 0;
  text.clear();
}

void compute(HashWork& work) {
  if (!work.is_comparison) {
    auto made = auth::hashPassword(work.cost, work.password, work.salt);
    work.code = made ? Code::kOk : made.error().code;
    if (made) work.hash = std::move(*made);
  } else if (work.stored.empty()) {
    auth::spendLike(work.cost, work.password);
  } else {
    const auto matches = auth::matchesHash(work.cost.algorithm, work.stored, work.password);
    work.code = matches ? Code::kOk : matches.error().code;
    work.is_match = matches && *matches;
  }
}

}  // namespace

/// On a thread of the pool.
void HashJob::work() noexcept {
  for (HashWork& work : works_) {
    if (is_abandoned_.load(std::memory_order_relaxed) ||
        is_over_->load(std::memory_order_relaxed)) {
      work.code = Code::kUnavailable;
    } else {
      try {
        compute(work);
      } catch (const std::exception&) {  // no memory
        work.code = Code::kBusy;
      }
    }
    wipe(work.password);
  }
  loop_->send(*this);
}

void HashJob::run() {
  const std::unique_ptr<HashJob> self(this);
  if (!is_over_->load(std::memory_order_relaxed)) hashes_->take(*this);
}

Hashes::Hashes(loop::Loop& loop, loop::Pool* pool, HashCounts& counts)
    : loop_(loop),
      pool_(pool),
      counts_(counts),
      is_over_(std::make_shared<std::atomic<bool>>(false)),
      usual_{auth::costOfNew(auth::HashAlgorithm::kBcrypt, kUsualRounds),
             auth::costOfNew(auth::HashAlgorithm::kArgon2, kUsualRounds)} {}

Hashes::~Hashes() { is_over_->store(true, std::memory_order_relaxed); }

HashJob* Hashes::submit(HashWaiter& waiter, std::vector<HashWork> works, AddressKey peer) {
  auto job = std::make_unique<HashJob>();
  job->works_ = std::move(works);
  job->waiter_ = &waiter;
  job->is_over_ = is_over_;
  job->hashes_ = this;
  job->loop_ = &loop_;
  job->begun_ns_ = loop_.io().monotonicNs();
  HashJob* const given = job.get();
  if (pool_ == nullptr || !pool_->submit([given] { given->work(); }, peer)) {
    for (HashWork& work : job->works_) wipe(work.password);
    counts_.refused.add();
    return nullptr;
  }
  return job.release();
}

void Hashes::abandon(HashJob& job) {
  assert(job.waiter_ != nullptr);
  job.waiter_ = nullptr;
  job.is_abandoned_.store(true, std::memory_order_relaxed);
}

void Hashes::take(HashJob& job) {
  if (job.waiter_ == nullptr) {
    counts_.abandoned.add();
    return;
  }
  counts_.add(loop_.io().monotonicNs() - job.begun_ns_);
  std::exchange(job.waiter_, nullptr)->onHashed(job);
}

}  // namespace sub0::call
