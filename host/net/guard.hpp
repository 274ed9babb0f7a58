// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/budget.hpp"
#include "net/admissions.hpp"
#include "net/bad_tokens.hpp"
#include "net/counters.hpp"
#include "net/options.hpp"

namespace sub0::net {

/// What all loops share to keep clients from harming each other: connection limits, bad tokens, the
/// budgets of bytes, and the log of refusals, a line a second for each reason. THREAD: any.
class Guard {
 public:
  /// `seed`: random. OWNERSHIP: `options` must outlive it.
  Guard(const Options& options, std::uint64_t seed)
      : options_(options),
        unsent_budget(options.unsent_budget_bytes),
        input_budget(options.input_budget_bytes),
        admissions(options, seed),
        bad_tokens(options, seed) {}

  /// Whom a connection from `address` is counted for; 0: a trusted proxy or an address without
  /// limit.
  AddressKey countedKey(std::string_view address) const;

  /// Counts a refusal, and writes it to the log if none of its reason has been for a second.
  void refused(Counters& counters, Refusal refusal, std::string_view address, std::int64_t now_ns);
  /// Whether a line about `refusal` may be written now.
  bool maySay(Refusal refusal, std::int64_t now_ns);

 private:
  const Options& options_;
  std::array<std::atomic<std::int64_t>, kRefusals> quiet_until_ns_{};

 public:
  Budget unsent_budget;  // messages over the hard mark that wait
  Budget input_budget;   // what has come and is not used up yet
  Admissions admissions;
  BadTokens bad_tokens;
};

}  // namespace sub0::net
