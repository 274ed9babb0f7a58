// SPDX-License-Identifier: Apache-2.0
#include "app/revocation_list.hpp"

#include <chrono>
#include <optional>

#include "base/log.hpp"
#include "call/revoked_list.hpp"

namespace sub0::app {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kTryAgainNs = kNsPerSecond;
constexpr std::int64_t kForgetEveryNs = 3600 * kNsPerSecond;
constexpr std::chrono::seconds kReloadWait{5};

int digitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<auth::TokenFingerprint> readHex(std::string_view hex) {
  auth::TokenFingerprint fingerprint{};
  if (hex.size() != fingerprint.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < fingerprint.size(); ++i) {
    const int high = digitOf(hex[2 * i]);
    const int low = digitOf(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    fingerprint[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return fingerprint;
}

std::string_view statementOf(bool creates, bool forgets) {
  if (creates) return call::revoked_list::kCreate;
  return forgets ? call::revoked_list::kForget : call::revoked_list::kRead;
}

}  // namespace

bool RevocationList::findDatabase() {
  const auto database = registry_.extension(SUB0_SQL_EXTENSION);
  sql_ = static_cast<const sub0_sql*>(database.table);
  sql_self_ = database.self;
  return sql_ != nullptr;  // else no plan of the set revokes
}

void RevocationList::want() {
  if (is_wanted_ || !findDatabase()) return;
  tokens_.expectList();
  is_wanted_ = true;
}

bool RevocationList::readNow(std::int64_t now_s) {
  if (is_wanted_) return true;  // it is read, or will be
  if (!findDatabase()) return false;
  begin(Step::kCreate, now_s);
  std::unique_lock lock(mutex_);
  ended_.wait_for(lock, kReloadWait, [this] { return !is_under_way_; });
  is_wanted_ = is_read_;
  return is_read_;
}

void RevocationList::look(std::int64_t now_ns, std::int64_t now_s) {
  if (!is_wanted_ || now_ns < next_look_ns_) return;
  {
    const std::lock_guard lock(mutex_);
    if (is_under_way_) return;
  }
  const bool is_known = tokens_.isKnown();
  next_look_ns_ = now_ns + (is_known ? kForgetEveryNs : kTryAgainNs);
  begin(is_known ? Step::kForget : Step::kCreate, now_s);
}

void RevocationList::begin(Step step, std::int64_t now_s) {
  {
    const std::lock_guard lock(mutex_);
    if (is_under_way_) return;
    is_under_way_ = true;
  }
  now_s_ = now_s;
  if (step == Step::kForget) {
    forget();
  } else {
    execute(step, json::array(nullptr, 0));
  }
}

void RevocationList::end(bool is_read) {
  const std::lock_guard lock(mutex_);
  is_under_way_ = false;
  is_read_ = is_read_ || is_read;
  ended_.notify_all();
}

void RevocationList::execute(Step step, const json::Value& parameters) {
  step_ = step;
  const sub0_text_view text =
      json::toView(statementOf(step == Step::kCreate, step == Step::kForget));
  const int32_t status = sql_->execute(sql_self_, &text, &parameters, onDone, this);
  if (status != SUB0_OK) onEnd(status, nullptr, "the plugin takes no statement now");
}

void RevocationList::forget() {
  const json::Value now = json::integer(now_s_ - auth::RevokedTokens::kKeptBeyondSeconds);
  execute(Step::kForget, json::array(&now, 1));
}

void RevocationList::readPage(std::string_view behind) {
  last_fingerprint_ = behind;
  const json::Value last = json::text(last_fingerprint_);
  execute(Step::kRead, json::array(&last, 1));
}

/// True: another page may follow.
bool RevocationList::takePage(const json::Value& rows) {
  if (!json::isArray(rows)) return false;
  std::string_view last;
  for (std::uint32_t index = 0; index < rows.count; ++index) {
    const json::Value* fingerprint = json::find(rows.as.items[index], "fingerprint");
    const json::Value* until = json::find(rows.as.items[index], "expires_at");
    if (fingerprint == nullptr || until == nullptr || !json::isText(*fingerprint)) continue;
    last = json::chars(*fingerprint);
    const auto bytes = readHex(last);
    if (bytes && until->type == SUB0_INT) tokens_.add(*bytes, until->as.i, now_s_);
  }
  if (rows.count < call::revoked_list::kPageRows) return false;
  last_fingerprint_ = last;
  return true;
}

void RevocationList::onDone(void* user, int32_t code, const sub0_value* rows,
                            const sub0_text_view* message) {
  static_cast<RevocationList*>(user)->onEnd(
      code, rows, message == nullptr ? std::string_view() : json::toText(*message));
}

/// What counts is whether the list can be read: the table may have been made by somebody with the
/// right to.
void RevocationList::onEnd(int32_t code, const json::Value* rows, std::string_view message) {
  const bool was_read = tokens_.isKnown() && is_wanted_;
  if (step_ == Step::kCreate) {
    why_not_made_ = code == SUB0_OK ? std::string() : std::string(message);
    return forget();
  }
  if (step_ == Step::kForget) {
    if (!was_read) return readPage("");
    if (code != SUB0_OK) {
      log::warning("revocations_kept",
                   "expired entries stay in the list of revoked tokens: " + std::string(message));
    }
    return end(false);
  }
  if (code != SUB0_OK) {
    if (!has_warned_) {
      log::warning("revocations_unknown",
                   "the list of revoked tokens cannot be read: " + std::string(message) +
                       (why_not_made_.empty() ? "" : "; its table was not made: " + why_not_made_));
    }
    has_warned_ = true;
    return end(false);
  }
  has_warned_ = false;
  if (rows != nullptr && takePage(*rows)) return readPage(std::string(last_fingerprint_));
  tokens_.setKnown();
  end(true);
}

}  // namespace sub0::app
