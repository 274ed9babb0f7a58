// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/key.hpp"
#include "base/error.hpp"

namespace sub0::auth {

/// What is kept of a revoked token, so that no list holds one: SHA-256 of its key's
/// fingerprint and of what the signature covers. Not of the signature: an ECDSA signature (r, s)
/// has a second form (r, n - s), in which the same token would be another text.
using TokenFingerprint = std::array<unsigned char, 32>;
TokenFingerprint fingerprintOf(const Key& key, std::string_view token);

/// The tokens that are refused although they verify (S-74): the memory of the process, beside which
/// a durable list is kept by whoever writes here. THREAD: any. As long as nothing is revoked, a
/// look costs one atomic load; later one per token and change of the list.
class RevokedTokens {
 public:
  static constexpr std::int64_t kKeptBeyondSeconds = 86'400;

  /// Whether a token that `key` verified may be used. `*seen` is the state of the list that the
  /// same token was checked against before (0: never), and is brought up to date. ERRORS:
  /// kTokenRevoked; kUnavailable while the list is not known.
  Result<Done> check(const Key& key, std::string_view token, std::uint64_t* seen) const {
    const std::uint64_t version = version_.load(std::memory_order_acquire);
    return version == *seen ? Result<Done>(Done{}) : checkListed(key, token, version, seen);
  }

  /// A list is kept, but has not been read: nobody can know yet which tokens are good. Without
  /// effect once it is known.
  void expectList();
  /// The list has been read: what was added is all.
  void setKnown();
  /// False between expectList() and setKnown().
  bool isKnown() const;

  /// Refuses the token until `until_s` (Unix seconds); a later time that is known stays. Those
  /// whose time is over at `now_s` are forgotten now and then.
  void add(const TokenFingerprint& fingerprint, std::int64_t until_s, std::int64_t now_s);

  /// Whether the token is refused already, at least until then.
  bool isRevokedUntil(const TokenFingerprint& fingerprint, std::int64_t until_s) const;

  std::size_t size() const;

 private:
  struct Hash {
    std::size_t operator()(const TokenFingerprint& fingerprint) const;
  };

  Result<Done> checkListed(const Key& key, std::string_view token, std::uint64_t version,
                           std::uint64_t* seen) const;
  void forgetExpired(std::int64_t now_s);

  std::atomic<std::uint64_t> version_{0};  // 0: nothing to check
  mutable std::mutex mutex_;
  bool is_known_ = true;
  std::unordered_map<TokenFingerprint, std::int64_t, Hash> until_s_;
  std::size_t forget_at_ = 1024;
};

}  // namespace sub0::auth
