// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/revoked_tokens.hpp"
#include "json/value.hpp"
#include "plugin/registry.hpp"
#include "sub0/sql.h"

namespace sub0::app {

/// Reads the durable list of revoked tokens (S-74) into the memory of the process, before the first
/// protected call is let through, and takes out of it what has expired. Tries again each second
/// while the database does not answer. THREAD: control, with callbacks on threads of the database's
/// plugin, which stops before this goes.
class RevocationList {
 public:
  RevocationList(auth::RevokedTokens& tokens, const plugin::Registry& registry)
      : tokens_(tokens), registry_(registry) {}

  /// Some resource revokes tokens: from now on the list is kept. REQUIRES: plugins are created.
  void want();

  /// Begins what is due. REQUIRES: plugins have started. `now_s`: Unix seconds.
  void look(std::int64_t now_ns, std::int64_t now_s);

  /// Whether it is known which tokens are revoked; true where nobody asks.
  bool isReady() const { return !is_wanted_ || tokens_.isKnown(); }

 private:
  enum class Step : std::uint8_t { kCreate, kForget, kRead };

  void execute(Step step, const json::Value& parameters);
  void forget();
  void readPage(std::string_view behind);
  bool takePage(const json::Value& rows);
  void onEnd(int32_t code, const json::Value* rows, std::string_view message);
  static void onDone(void* user, int32_t code, const sub0_value* rows,
                     const sub0_text_view* message);

  auth::RevokedTokens& tokens_;
  const plugin::Registry& registry_;
  const sub0_sql* sql_ = nullptr;
  void* sql_self_ = nullptr;
  bool is_wanted_ = false;
  std::int64_t next_look_ns_ = 0;
  // Of whoever has the step that is under way.
  std::atomic<bool> is_under_way_{false};
  Step step_ = Step::kCreate;
  std::int64_t now_s_ = 0;
  std::string last_fingerprint_;
  bool has_warned_ = false;
};

}  // namespace sub0::app
