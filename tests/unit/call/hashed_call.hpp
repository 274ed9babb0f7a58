// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/call/call_rig.hpp"

// Calls with `hashables` and `verify_hashables`. The pool has no threads: a hash is there when the
// test says so.
namespace sub0::call::test {

using auth::HashAlgorithm;

inline constexpr const char* kBcrypt = R"("algorithm": "BCRYPT", "options": {"rounds_cost": 4})";
inline constexpr const char* kArgon2 = R"("algorithm": "ARGON2", "options": {"rounds_cost": 4})";

inline std::string hashes(const std::string& how = kBcrypt,
                          const std::string& property = "password") {
  return R"("hashables": [{"property": ")" + property + R"(", )" + how + "}]";
}

inline std::string verifies(const std::string& algorithm = "BCRYPT") {
  return R"("verify_hashables": [{"property": "password", "algorithm": ")" + algorithm + R"("}])";
}

inline std::string stored(HashAlgorithm algorithm, std::string_view password) {
  return *auth::hashPassword(auth::costOfNew(algorithm, 4), password, auth::HashSalt{7});
}

inline bool matches(std::string_view hash, std::string_view password) {
  const auto algorithm =
      hash.substr(0, 2) == "$2" ? HashAlgorithm::kBcrypt : HashAlgorithm::kArgon2;
  return auth::costOfStored(algorithm, hash) && *auth::matchesHash(algorithm, hash, password);
}

/// Actions `a` and `b` write down their input and give it back, or what `rows` says.
class HashedCall : public testing::Test {
 protected:
  void make(const std::string& text) {
    rig.reset();
    rig = std::make_unique<CallRig>(text);
    inputs.clear();
    for (const char* name : {"a", "b", "effect"}) {
      rig->script.runs[name] = [this, name](const sub0_run& run) {
        rig->transport.log.push_back(name);
        inputs.push_back(run.input_count == 0 ? "" : json::toString(run.inputs[0]));
        texts.clear();
        if (run.input_count > 0 && json::isText(run.inputs[0])) {
          texts.emplace_back(json::chars(run.inputs[0]));
        }
        tickets.push_back(run.ticket);
        if (failures > 0) {
          --failures;
          rig->script.fail(run.ticket, Code::kUnavailable);
        } else if (ends) {
          rig->script.complete(run.ticket, rows.empty() ? inputs.back() : rows);
        }
      };
    }
  }
  void call(const std::string& payload) { rig->dispatch(rig->request("r", payload)); }
  /// The reply to a call of its own.
  std::string replyTo(const std::string& payload) {
    rig->transport.log.clear();
    call(payload);
    hashed = rig->hash();
    EXPECT_EQ(rig->calls->openCount(), 0u);
    return rig->transport.log.empty() ? "" : rig->transport.log.back();
  }
  void passAll() {
    for (int i = 0; i < 100; ++i) rig->pass(10);
  }

  std::unique_ptr<CallRig> rig;
  Lines inputs, texts;  // of all runs as JSON; of the last one, if it is a text
  std::vector<sub0_ticket> tickets;
  std::string rows;
  bool ends = true;
  int failures = 0;
  int hashed = 0;
};

}  // namespace sub0::call::test
