// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// Fresh identifiers (S-62) and the form of instants (S-61), as pure functions of random bytes, wall
// time and a state that the caller hands in. Not for secrets: a BSON or UNIQID can be guessed from
// one made shortly before, and a CUID has 41 random bits. Any thread; a state is one thread's.
namespace sub0::dialect {

enum class GeneratorKind : std::uint8_t {
  kUuid,
  kUuidV7,
  kUlid,
  kNanoid,
  kKsuid,
  kCuid,
  kCuid2,
  kShortUuid,
  kSlugid,
  kBson,
  kUniqid,
};

/// The names of all kinds, in the order of the enumeration.
inline constexpr std::string_view kGeneratorKinds[] = {"UUID",   "UUIDV7", "ULID",  "NANOID",
                                                       "KSUID",  "CUID",   "CUID2", "SHORTUUID",
                                                       "SLUGID", "BSON",   "UNIQID"};

/// Random bytes that one value takes at most, and its longest text.
inline constexpr std::size_t kGeneratorRandomBytes = 32;
inline constexpr std::size_t kGeneratorTextBytes = 36;

/// "UUID" → kUuid; nullopt for unknown kinds.
std::optional<GeneratorKind> generatorKindOf(std::string_view name);

/// What some kinds carry from one value to the next. Each loop has one, so that no counter is
/// shared between threads: where a kind's definition speaks of a process or a host, a loop counts
/// as one, and what stands for it is random, which tells nothing of the machine.
struct GeneratorState {
  bool is_seeded = false;
  std::array<std::uint8_t, 5> bson_process{};
  std::uint32_t bson_counter = 0;  // 24 bits
  std::array<char, 4> cuid_fingerprint{};
  std::uint32_t cuid_counter = 0;  // below 36^4
  std::array<char, 32> cuid2_fingerprint{};
  std::uint64_t cuid2_counter = 0;
  std::array<char, 10> uniqid_process{};
  std::int64_t uniqid_last_ms = 0;
};

inline constexpr std::size_t kGeneratorSeedBytes = 64;

/// Begins a state with kGeneratorSeedBytes random bytes.
void seedGenerators(GeneratorState& state, const std::uint8_t* random);

/// Writes the text of one value into `out` (kGeneratorTextBytes) from kGeneratorRandomBytes random
/// bytes; returns its length. REQUIRES: a seeded state.
std::size_t generate(GeneratorKind kind, const std::uint8_t* random, std::int64_t wall_ms,
                     GeneratorState& state, char* out);

inline constexpr std::size_t kDateTimeBytes = 24;

/// Writes `wall_ms` (Unix time) as 2026-01-31T12:00:00.000Z into `out` (kDateTimeBytes).
void formatDateTime(std::int64_t wall_ms, char* out);

}  // namespace sub0::dialect
