// SPDX-License-Identifier: Apache-2.0
// The part of Call that lets no hash of a password out (S-95), under whatever name and wherever
// inside a result it stands: what the call has made or compared is looked for in all that leaves.
#include <algorithm>

#include "auth/password_hash.hpp"
#include "call/call.hpp"
#include "call/calls.hpp"

namespace sub0::call {

/// One of them; lives in the call's arena.
struct Call::Secret {
  std::string_view hash;
  const Secret* next = nullptr;
};

/// `hash` lives as long as the call's arena.
const Call::Secret* Call::withSecret(std::string_view hash, const Secret* others) {
  auto* secret = arena_.make<Secret>();
  secret->hash = hash;
  secret->next = others;
  return secret;
}

bool Call::holds(std::string_view text, const Secret* secrets) {
  for (; secrets != nullptr; secrets = secrets->next) {
    if (text.find(secrets->hash) != std::string_view::npos) return true;
  }
  return false;
}

/// Nothing in the place of `value`: a text that holds one of them, or what nobody can look into.
bool Call::isSecret(const json::Value& value, const Secret* secrets) {
  if (value.type == SUB0_RAW) return true;
  return json::isText(value) && holds(json::chars(value), secrets);
}

/// `value` without them: members are left out, items become null. REQUIRES: expandRaw().
json::Value Call::without(const json::Value& value, const Secret* secrets) {
  if (json::isArray(value)) {
    auto* items = arena_.array<json::Value>(value.count);
    for (std::uint32_t i = 0; i < value.count; ++i) {
      items[i] = without(value.as.items[i], secrets);
    }
    return json::array(items, value.count);
  }
  if (!json::isObject(value)) return isSecret(value, secrets) ? json::null() : value;
  auto* members = arena_.array<json::Member>(value.count);
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < value.count; ++i) {
    const json::Member& member = value.as.members[i];
    if (holds(json::toText(member.key), secrets) || isSecret(member.value, secrets)) continue;
    members[count++] = {member.key, without(member.value, secrets)};
  }
  return json::object(members, count);
}

/// What of `value` may leave the call.
json::Value Call::leaving(const json::Value& value) {
  return secrets_ == nullptr ? value : without(expandRaw(value), secrets_);
}

/// The same of rows that were compared: each loses the hashes that stand in its own columns too.
json::Value Call::withoutStored(const json::Value& row,
                                const std::vector<dialect::Hashable>& hashables) {
  if (json::isArray(row)) {
    auto* rows = arena_.array<json::Value>(row.count);
    for (std::uint32_t i = 0; i < row.count; ++i) {
      rows[i] = withoutStored(row.as.items[i], hashables);
    }
    return json::array(rows, row.count);
  }
  const Secret* secrets = secrets_;
  for (const auto& hashable : hashables) {
    const json::Value* stored = json::isObject(row) ? json::find(row, hashable.property) : nullptr;
    const bool is_hash = stored != nullptr && json::isText(*stored) &&
                         auth::costOfStored(algorithmOf(hashable), json::chars(*stored));
    if (is_hash) secrets = withSecret(json::chars(*stored), secrets);
  }
  return without(row, secrets);
}

/// A message on its way to others.
void Call::send(const Broadcast& broadcast) {
  if (secrets_ == nullptr) {
    calls_.broadcasts().send(broadcast, sender_);
    return;
  }
  Broadcast shown = broadcast;
  const json::Value data = broadcast.data == nullptr ? json::null() : leaving(*broadcast.data);
  shown.data = &data;
  if (holds(shown.action, secrets_)) shown.action = {};
  calls_.broadcasts().send(shown, sender_);
}

}  // namespace sub0::call
