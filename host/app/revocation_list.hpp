// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "auth/revoked_tokens.hpp"
#include "base/time_units.hpp"
#include "json/value.hpp"
#include "loop/io.hpp"
#include "plugin/registry.hpp"
#include "sub0/sql.h"

namespace sub0::app {

/// Reads the durable list of revoked tokens (S-74) into the memory of the process, before the first
/// protected call is let through, and takes out of it what has expired. Tries again each second
/// while the database does not answer. Where other hosts may write into the list, it is asked every
/// few seconds for what is new. THREAD: control, with callbacks on threads of the database's
/// plugin, which stops before this goes.
class RevocationList {
 public:
  RevocationList(auth::RevokedTokens& tokens, const plugin::Registry& registry)
      : tokens_(tokens), registry_(registry) {}

  /// Other hosts may have the same database: from now on what they revoke is known after
  /// `interval_ms` at the latest, give or take the time of a statement. 0: not before the start.
  void readEvery(std::int64_t interval_ms) { interval_ns_ = interval_ms * kNsPerMs; }

  /// At the start, where some resource revokes tokens: the list is kept, and until it has been read
  /// no token is good. REQUIRES: plugins are created.
  void want();

  /// The same for a reload: reads the list before anything depends on it; false: it cannot be read,
  /// and nothing has changed. Waits for a few seconds. REQUIRES: plugins have started.
  bool readNow(loop::Io& clock);

  /// Begins what is due. REQUIRES: plugins have started.
  void look(loop::Io& clock);

  /// Whether it is known which tokens are revoked; true where nobody asks.
  bool isReady() const { return !is_wanted_.load() || tokens_.isKnown(); }

 private:
  enum class Step : std::uint8_t { kCreate, kForget, kRead, kReadNew };

  bool findDatabase();
  void begin(Step step, loop::Io& clock);
  Step nextStep(loop::Io& clock);
  void end(bool is_read);
  void execute(Step step, const json::Value& parameters);
  void forget();
  void readPage(Step step, std::string_view behind);
  bool takePage(const json::Value& rows);
  void warn(std::string_view message);
  void onEnd(int32_t code, const json::Value* rows, std::string_view message);
  static void onDone(void* user, int32_t code, const sub0_value* rows,
                     const sub0_text_view* message);

  auth::RevokedTokens& tokens_;
  const plugin::Registry& registry_;
  const sub0_sql* sql_ = nullptr;
  void* sql_self_ = nullptr;
  std::atomic<bool> is_wanted_{false};
  std::int64_t interval_ns_ = 0;
  std::int64_t next_look_ns_ = 0;
  std::int64_t next_forget_ns_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_under_way_ = false;
  bool is_read_ = false;  // the list, once
  // Of whoever has the step that is under way.
  Step step_ = Step::kCreate;
  std::int64_t now_s_ = 0;
  std::int64_t begun_ns_ = 0;
  std::int64_t read_ns_ = 0;  // when the last reading that came to its end began
  std::string last_fingerprint_;
  std::string why_not_made_;  // the table
  bool has_warned_ = false;
};

}  // namespace sub0::app
