// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "dialect/generators.hpp"
#include "dialect/scope.hpp"
#include "json/value.hpp"

// Accessors (S-61): how they are written, and what they read. Used by Template and Parameter alone.
namespace sub0::dialect {

enum class AccessorRoot : std::uint8_t {
  kEnv,
  kPayload,
  kProtected,
  kHeader,
  kDateTime,
  kGenerator,
  kConnection,
};

/// An accessor as it stands in a text.
struct WrittenAccessor {
  std::size_t begin = 0;  // of `$`
  std::size_t end = 0;
  AccessorRoot root = AccessorRoot::kPayload;
  std::vector<std::string_view> segments;
};

/// A `$NAME` that is none.
struct UnknownAccessor {
  std::string written;     // "$PAYLAOD"
  std::string suggestion;  // "$PAYLOAD", or empty
};

/// All accessors of `text`, in order; `unknown` may be null.
std::vector<WrittenAccessor> findAccessors(std::string_view text,
                                           std::vector<UnknownAccessor>* unknown);

/// What an accessor reads, compiled; lives in its template's memory.
struct Accessor {
  enum class Kind : std::uint8_t {
    kPayload,
    kExtracted,  // the first segment is a `for` of this action's depends_on
    kGenerated,  // the first segment is a `for` of a generator
    kProtected,
    kHeader,
    kIp,
    kDateTime,
    kGenerator,
    kConnectionUid,
    kConnectionId,
  };
  struct Segment {
    std::string_view name;
    std::size_t index = 0;
    bool is_index = false;
  };
  Kind kind = Kind::kPayload;
  GeneratorKind generator = GeneratorKind::kUuid;
  const Segment* segments = nullptr;
  std::size_t segment_count = 0;
  std::string_view header;  // lower case
};

/// The value that `accessor` reads; null where it is missing.
json::Value readAccessor(const Accessor& accessor, const Scope& scope, Arena& arena,
                         bool allow_raw);

/// A fresh identifier; null where the scope has no randomness.
json::Value freshValue(GeneratorKind kind, const Scope& scope, Arena& arena);

/// The value extracted by this action's depends_on under `name`, or null pointer.
const json::Value* findExtracted(const Scope& scope, std::string_view name);

}  // namespace sub0::dialect
