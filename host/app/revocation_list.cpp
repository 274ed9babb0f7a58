// SPDX-License-Identifier: Apache-2.0
#include "app/revocation_list.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "base/time_units.hpp"
#include "call/revoked_list.hpp"

namespace sub0::app {
namespace {

constexpr std::int64_t kTryAgainNs = kNsPerSecond;
constexpr std::int64_t kForgetEveryNs = 3600 * kNsPerSecond;
constexpr std::chrono::seconds kReloadWait{5};
/// Later than this, what is new is no longer all that may be unknown; a third of the reach leaves
/// time to rows whose statement waited.
constexpr std::int64_t kAllAgainNs = call::revoked_list::kReadNewReach / 3 * kNsPerSecond;

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

/// Hosts that were started together do not ask together: up to a fifth earlier.
std::int64_t jittered(std::int64_t interval_ns, loop::Io& io) {
  std::array<char, 2> bytes{};
  io.random(bytes.data(), bytes.size());
  std::uint16_t draw = 0;
  std::memcpy(&draw, bytes.data(), sizeof draw);
  return interval_ns - interval_ns / 5 * draw / 65'536;
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

bool RevocationList::readNow(loop::Io& clock) {
  if (is_wanted_) return true;  // it is read, or will be
  if (!findDatabase()) return false;
  begin(Step::kCreate, clock);
  std::unique_lock lock(mutex_);
  ended_.wait_for(lock, kReloadWait, [this] { return !is_under_way_; });
  is_wanted_ = is_read_;
  return is_read_;
}

void RevocationList::look(loop::Io& clock) {
  if (!is_wanted_ || clock.monotonicNs() < next_look_ns_) return;
  {
    const std::lock_guard lock(mutex_);
    if (is_under_way_) return;
  }
  begin(nextStep(clock), clock);
}

/// REQUIRES: nothing is under way.
RevocationList::Step RevocationList::nextStep(loop::Io& clock) {
  const std::int64_t now_ns = clock.monotonicNs();
  if (!tokens_.isKnown()) {
    next_look_ns_ = now_ns + kTryAgainNs;
    next_forget_ns_ = now_ns + kForgetEveryNs;
    return Step::kCreate;
  }
  if (interval_ns_ == 0) {
    next_look_ns_ = now_ns + kForgetEveryNs;
    return Step::kForget;
  }
  if (now_ns >= next_forget_ns_) {  // and at once what is due besides
    next_forget_ns_ = now_ns + kForgetEveryNs;
    return Step::kForget;
  }
  next_look_ns_ = now_ns + jittered(interval_ns_, clock);
  return now_ns - read_ns_ > kAllAgainNs ? Step::kRead : Step::kReadNew;
}

void RevocationList::begin(Step step, loop::Io& clock) {
  {
    const std::lock_guard lock(mutex_);
    if (is_under_way_) return;
    is_under_way_ = true;
  }
  now_s_ = clock.wallMs() / 1000;
  begun_ns_ = clock.monotonicNs();
  if (step == Step::kCreate) {
    execute(step, json::array(nullptr, 0));
  } else if (step == Step::kForget) {
    forget();
  } else {
    readPage(step, "");
  }
}

void RevocationList::end(bool is_read) {
  const std::lock_guard lock(mutex_);
  is_under_way_ = false;
  is_read_ = is_read_ || is_read;
  if (is_read) read_ns_ = begun_ns_;
  ended_.notify_all();
}

void RevocationList::execute(Step step, const json::Value& parameters) {
  using namespace call::revoked_list;
  static constexpr std::array<std::string_view, 4> kStatements = {kCreate, kForget, kRead,
                                                                  kReadNew};
  step_ = step;
  const sub0_text_view text = json::toView(kStatements[static_cast<std::size_t>(step)]);
  const int32_t status = sql_->execute(sql_self_, &text, &parameters, onDone, this);
  if (status != SUB0_OK) onEnd(status, nullptr, "the plugin takes no statement now");
}

void RevocationList::forget() {
  const json::Value now = json::integer(now_s_ - auth::RevokedTokens::kKeptBeyondSeconds);
  execute(Step::kForget, json::array(&now, 1));
}

void RevocationList::readPage(Step step, std::string_view behind) {
  last_fingerprint_ = behind;
  const json::Value last = json::text(last_fingerprint_);
  execute(step, json::array(&last, 1));
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

/// Once, until the list can be read again.
void RevocationList::warn(std::string_view message) {
  if (std::exchange(has_warned_, true)) return;
  if (tokens_.isKnown() && is_wanted_) {
    log::warning("revocations_stale",
                 "what other hosts have revoked cannot be read: " + std::string(message) +
                     "; what was read before is refused");
    return;
  }
  log::warning("revocations_unknown",
               "the list of revoked tokens cannot be read: " + std::string(message) +
                   (why_not_made_.empty() ? "" : "; its table was not made: " + why_not_made_));
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
    if (!was_read) return readPage(Step::kRead, "");
    if (code != SUB0_OK) {
      log::warning("revocations_kept",
                   "expired entries stay in the list of revoked tokens: " + std::string(message));
    }
    return end(false);
  }
  if (code != SUB0_OK) {
    warn(message);
    return end(false);
  }
  if (rows != nullptr && takePage(*rows)) return readPage(step_, std::string(last_fingerprint_));
  has_warned_ = false;
  tokens_.setKnown();
  end(true);
}

}  // namespace sub0::app
