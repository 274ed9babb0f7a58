// SPDX-License-Identifier: Apache-2.0
#include "auth/revoked_tokens.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace sub0::auth {

TokenFingerprint fingerprintOf(const Key& key, std::string_view token) {
  const bool is_jwt = key.algorithm() != Algorithm::kV4Local;
  const std::string_view covered = is_jwt ? token.substr(0, token.rfind('.')) : token;
  const std::uint64_t key_fingerprint = key.fingerprint();
  std::string text(sizeof key_fingerprint, '\0');
  std::memcpy(text.data(), &key_fingerprint, sizeof key_fingerprint);
  text += covered;
  TokenFingerprint fingerprint{};
  const void* bytes = text.data();
  ::SHA256(static_cast<const unsigned char*>(bytes), text.size(), fingerprint.data());
  return fingerprint;
}

std::size_t RevokedTokens::Hash::operator()(const TokenFingerprint& fingerprint) const {
  std::size_t hash = 0;
  std::memcpy(&hash, fingerprint.data(), sizeof hash);
  return hash;
}

void RevokedTokens::expectList() {
  const std::lock_guard lock(mutex_);
  if (version_.load(std::memory_order_relaxed) != 0) return;
  is_known_ = false;
  version_.store(1, std::memory_order_release);
}

void RevokedTokens::setKnown() {
  const std::lock_guard lock(mutex_);
  is_known_ = true;
  version_.fetch_add(1, std::memory_order_release);
}

bool RevokedTokens::isKnown() const {
  const std::lock_guard lock(mutex_);
  return is_known_;
}

void RevokedTokens::add(const TokenFingerprint& fingerprint, std::int64_t until_s,
                        std::int64_t now_s) {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = until_s_.try_emplace(fingerprint, until_s);
  entry->second = std::max(entry->second, until_s);
  if (!is_new) return;  // who was told already need not look again
  if (until_s_.size() >= forget_at_) forgetExpired(now_s);
  version_.fetch_add(1, std::memory_order_release);
}

void RevokedTokens::forgetExpired(std::int64_t now_s) {
  for (auto entry = until_s_.begin(); entry != until_s_.end();) {
    entry = entry->second <= now_s - kKeptBeyondSeconds ? until_s_.erase(entry) : std::next(entry);
  }
  forget_at_ = std::max<std::size_t>(1024, until_s_.size() * 2);
}

bool RevokedTokens::isRevokedUntil(const TokenFingerprint& fingerprint,
                                   std::int64_t until_s) const {
  const std::lock_guard lock(mutex_);
  const auto found = until_s_.find(fingerprint);
  return found != until_s_.end() && found->second >= until_s;
}

std::size_t RevokedTokens::size() const {
  const std::lock_guard lock(mutex_);
  return until_s_.size();
}

Result<Done> RevokedTokens::checkListed(const Key& key, std::string_view token,
                                        std::uint64_t version, std::uint64_t* seen) const {
  const TokenFingerprint fingerprint = fingerprintOf(key, token);
  const std::lock_guard lock(mutex_);
  if (!is_known_) {
    return makeError(Code::kUnavailable, "the list of revoked tokens cannot be read yet");
  }
  if (until_s_.count(fingerprint) != 0) return makeError(Code::kTokenRevoked);
  *seen = version;
  return Done{};
}

}  // namespace sub0::auth
