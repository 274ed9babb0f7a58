// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// Fresh identifiers (S-62) and the form of instants (S-61), as pure functions of random bytes and
// wall time that the caller hands in. Any thread.
namespace sub0::dialect {

enum class GeneratorKind : std::uint8_t { kUuid, kUuidV7, kUlid, kNanoid };

/// Random bytes that one value takes at most, and its longest text.
inline constexpr std::size_t kGeneratorRandomBytes = 21;
inline constexpr std::size_t kGeneratorTextBytes = 36;

/// "UUID" → kUuid; nullopt for unknown kinds and those that are not supported yet.
std::optional<GeneratorKind> generatorKindOf(std::string_view name);

/// A kind that the dialect names and this version cannot make (KSUID, CUID, …).
bool isLaterGeneratorKind(std::string_view name);

/// All kinds that can be made, for suggestions.
inline constexpr std::string_view kGeneratorKinds[] = {"UUID", "UUIDV7", "ULID", "NANOID"};

/// Writes the text of one value into `out` (kGeneratorTextBytes) from kGeneratorRandomBytes random
/// bytes; returns its length.
std::size_t generate(GeneratorKind kind, const std::uint8_t* random, std::int64_t wall_ms,
                     char* out);

inline constexpr std::size_t kDateTimeBytes = 24;

/// Writes `wall_ms` (Unix time) as 2026-01-31T12:00:00.000Z into `out` (kDateTimeBytes).
void formatDateTime(std::int64_t wall_ms, char* out);

}  // namespace sub0::dialect
