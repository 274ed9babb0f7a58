// SPDX-License-Identifier: Apache-2.0
#include "store/cached_value.hpp"

#include <algorithm>

namespace sub0::store {
namespace {

/// What a copy takes, alignment included; trees are as deep as json::isWellFormed allows.
std::size_t copiedBytes(const json::Value& value) {
  constexpr std::size_t kAlignment = alignof(std::max_align_t);
  std::size_t bytes = 0;
  if (json::isArray(value)) {
    bytes = value.count * sizeof(json::Value) + kAlignment;
    for (std::uint32_t i = 0; i < value.count; ++i) bytes += copiedBytes(value.as.items[i]);
  } else if (json::isObject(value)) {
    bytes = value.count * sizeof(json::Member) + kAlignment;
    for (std::uint32_t i = 0; i < value.count; ++i) {
      bytes += value.as.members[i].key.size + copiedBytes(value.as.members[i].value);
    }
  } else if (json::isText(value) || value.type == SUB0_NUMBER || value.type == SUB0_RAW) {
    bytes = value.count;
  }
  return bytes;
}

}  // namespace

std::shared_ptr<const CachedValue> CachedValue::make(const json::Value& value) {
  auto made = std::make_shared<CachedValue>(std::max<std::size_t>(copiedBytes(value), 1));
  made->value_ = json::copy(value, made->memory_);
  return made;
}

}  // namespace sub0::store
