// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

// Hashes of passwords (S-95): BCRYPT by libxcrypt, ARGON2 by libsodium. Made here or by anybody
// else's library: what a database holds is compared, with bounds on what it may cost. Slow on
// purpose: never on a loop. Pure: the salt is passed in. Any thread; sodium_init() is called by it.
namespace sub0::auth {

enum class HashAlgorithm : std::uint8_t { kBcrypt, kArgon2 };

/// What it takes to compute one hash.
struct HashCost {
  HashAlgorithm algorithm = HashAlgorithm::kBcrypt;
  std::uint32_t rounds = 12;     // of BCRYPT the logarithm of the rounds, of ARGON2 the passes
  std::uint32_t memory_kib = 0;  // of ARGON2
};

/// Of a new hash: `rounds_cost` as S-95 has it. ARGON2 is Argon2id of 19 MiB in one lane, a memory
/// that no project can change.
HashCost costOfNew(HashAlgorithm algorithm, std::uint32_t rounds_cost);

inline constexpr std::size_t kMaxPasswordBytes = 4096;
inline constexpr std::size_t kMaxBcryptBytes = 72;

using HashSalt = std::array<unsigned char, 16>;

/// `random` and the project's own text in one; as hard to foresee as `random` alone.
HashSalt foldSalt(const HashSalt& random, std::string_view text);

/// What is wrong with a password that is to be hashed, as the end of a sentence about it; empty:
/// nothing. BCRYPT would hash only what comes before a zero byte or the 73rd one.
std::string_view faultOf(HashAlgorithm algorithm, std::string_view password);

/// The hash as text, in the form that all libraries share ($2b$…, $argon2id$…). REQUIRES: faultOf()
/// says nothing. ERRORS: kBusy: no memory; kInternal.
Result<std::string> hashPassword(const HashCost& cost, std::string_view password,
                                 const HashSalt& salt);

/// What comparing with `stored` costs; nullopt: it is no hash of that algorithm. $2a$, $2b$ and
/// $2y$; $argon2id$ and $argon2i$ of version 19.
std::optional<HashCost> costOfStored(HashAlgorithm algorithm, std::string_view stored);

/// Whether such a hash is compared at all: no row may keep a thread for hours, or take all memory.
bool isAffordable(const HashCost& cost, std::uint32_t max_bcrypt_cost);

/// Whether `password` has the hash `stored`, in constant time once that is computed. REQUIRES:
/// costOfStored() knows it. ERRORS: kBusy: no memory.
Result<bool> matchesHash(HashAlgorithm algorithm, std::string_view stored,
                         std::string_view password);

/// Takes as long as a comparison of that cost.
void spendLike(const HashCost& cost, std::string_view password);

}  // namespace sub0::auth
