// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/arena.hpp"
#include "json/value.hpp"

// What one connection knows of tokens: a token is verified once per key, then remembered until its
// `exp` (S-73). Takes 8 bytes as long as it is not used; at most kMaxEntries tokens, the oldest
// gives way. Only verified tokens are remembered. A token whose text lasts, where it is and
// unchanged, as long as the cache (that of a socket's handshake) is known again by its place, and
// not read once more for each call. One thread at a time.
namespace sub0::auth {

class VerifiedTokenCache {
 public:
  static constexpr std::size_t kMaxEntries = 8;

  struct Entry {
    explicit Entry(std::size_t bytes) : arena(bytes) {}
    std::uint64_t key_fingerprint = 0;
    std::string_view token;       // in `arena`, as the claims
    const char* place = nullptr;  // of the text that lasts; null: it does not
    json::Value claims{};
    std::optional<std::int64_t> exp_seconds;
    mutable std::uint64_t revocations_seen = 0;  // RevokedTokens::check()
    Arena arena;
  };

  /// The token as verified by that key, or null. It may have expired meanwhile: see exp_seconds.
  const Entry* find(std::uint64_t key_fingerprint, std::string_view token,
                    bool token_lasts = false) const;

  /// Keeps copies; the entry stays valid until the next call of remember() or clear().
  const Entry& remember(std::uint64_t key_fingerprint, std::string_view token,
                        const json::Value& claims, std::optional<std::int64_t> exp_seconds,
                        bool token_lasts = false);

  /// Forgets everything.
  void clear() { entries_.reset(); }

 private:
  struct Entries {
    std::array<std::unique_ptr<Entry>, kMaxEntries> list;
    std::size_t count = 0;
    std::size_t next_to_replace = 0;
  };
  std::unique_ptr<Entries> entries_;
};

}  // namespace sub0::auth
