// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include "base/arena.hpp"
#include "json/value.hpp"

namespace sub0::store {

/// A result as a cache keeps it: a copy of its own, immutable, so that any number of calls on any
/// thread may read it while others replace it. A tree and not its text: reading it costs no
/// parsing, and digits of exact numbers stay as they were.
class CachedValue {
 public:
  static std::shared_ptr<const CachedValue> make(const json::Value& value);

  /// Use make().
  explicit CachedValue(std::size_t size_bytes) : memory_(size_bytes) {}

  const json::Value& value() const { return value_; }
  std::size_t sizeBytes() const { return sizeof *this + memory_.capacity(); }

 private:
  Arena memory_;
  json::Value value_{};
};

using CachedPointer = std::shared_ptr<const CachedValue>;

}  // namespace sub0::store
