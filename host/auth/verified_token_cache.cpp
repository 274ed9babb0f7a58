// SPDX-License-Identifier: Apache-2.0
#include "auth/verified_token_cache.hpp"

namespace sub0::auth {

const VerifiedTokenCache::Entry* VerifiedTokenCache::find(std::uint64_t key_fingerprint,
                                                          std::string_view token,
                                                          bool token_lasts) const {
  if (entries_ == nullptr) return nullptr;
  for (std::size_t index = 0; index < entries_->count; ++index) {
    const Entry& entry = *entries_->list[index];
    if (entry.key_fingerprint != key_fingerprint || entry.token.size() != token.size()) continue;
    const bool is_same_place = token_lasts && entry.place == token.data();
    if (is_same_place || entry.token == token) return &entry;
  }
  return nullptr;
}

const VerifiedTokenCache::Entry& VerifiedTokenCache::remember(
    std::uint64_t key_fingerprint, std::string_view token, const json::Value& claims,
    std::optional<std::int64_t> exp_seconds, bool token_lasts) {
  auto entry = std::make_unique<Entry>(token.size() * 3 + 256);
  entry->key_fingerprint = key_fingerprint;
  entry->token = entry->arena.copy(token);
  entry->claims = json::copy(claims, entry->arena);
  entry->exp_seconds = exp_seconds;
  entry->place = token_lasts ? token.data() : nullptr;
  const Entry& kept = *entry;
  if (entries_ == nullptr) entries_ = std::make_unique<Entries>();
  if (entries_->count < kMaxEntries) {
    entries_->list[entries_->count++] = std::move(entry);
  } else {
    entries_->list[entries_->next_to_replace] = std::move(entry);
    entries_->next_to_replace = (entries_->next_to_replace + 1) % kMaxEntries;
  }
  return kept;
}

}  // namespace sub0::auth
