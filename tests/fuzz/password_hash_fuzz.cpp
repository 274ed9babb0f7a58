// SPDX-License-Identifier: Apache-2.0
// What a database holds for a hash (S-95): any text is taken for a hash of the one algorithm, of
// the other, or of none; what is taken for one has the form that a second reading finds, and costs
// what it says; it is the password's only where it was made from it, and with one byte changed it
// is not.
#include "auth/password_hash.hpp"

#include <regex>

#include "tests/fuzz/fuzz.hpp"

namespace sub0::auth {
namespace {

constexpr std::uint32_t kCheapRounds = 4;
constexpr std::uint32_t kCheapKib = 256;
constexpr std::string_view kPassword = "the password of this fuzz target";

bool hasForm(HashAlgorithm algorithm, const std::string& text) {
  static const std::regex kBcrypt(R"(\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53})");
  static const std::regex kArgon2(
      R"(\$argon2id?\$v=19\$m=(0|[1-9]\d{0,9}),t=[1-9]\d{0,9},p=[1-9]\d{0,9}\$[+/A-Za-z0-9]+\$[+/A-Za-z0-9]+)");
  return std::regex_match(text, algorithm == HashAlgorithm::kBcrypt ? kBcrypt : kArgon2);
}

bool isCheap(const HashCost& cost) {
  if (cost.algorithm == HashAlgorithm::kBcrypt) return cost.rounds <= kCheapRounds;
  return cost.rounds <= kCheapRounds && cost.memory_kib <= kCheapKib;
}

void judge(const std::string& text) {
  int known = 0;
  for (const auto algorithm : {HashAlgorithm::kBcrypt, HashAlgorithm::kArgon2}) {
    const auto cost = costOfStored(algorithm, text);
    if (!cost) {
      // Numbers beyond 32 bits and texts beyond 512 bytes have the form, too.
      FUZZ_CHECK(!hasForm(algorithm, text) || algorithm == HashAlgorithm::kArgon2);
      continue;
    }
    ++known;
    FUZZ_CHECK(hasForm(algorithm, text) && cost->algorithm == algorithm && cost->rounds > 0);
    FUZZ_CHECK(!isCheap(*cost) || isAffordable(*cost, kCheapRounds));
    if (!isCheap(*cost)) continue;
    const auto is_match = matchesHash(algorithm, text, kPassword);
    FUZZ_CHECK(is_match && !*is_match);
  }
  FUZZ_CHECK(known <= 1);
}

/// A password of any bytes: what is made of it is its hash, and no other's.
void judgeMade(const fuzz::Input& input) {
  if (!faultOf(HashAlgorithm::kBcrypt, input.bytes).empty()) return;
  HashSalt salt{};
  salt[0] = input.steer;
  const auto made =
      hashPassword(costOfNew(HashAlgorithm::kBcrypt, kCheapRounds), input.bytes, salt);
  FUZZ_CHECK(made && costOfStored(HashAlgorithm::kBcrypt, *made));
  const auto matches = [&](std::string_view stored, std::string_view password) {
    const auto is_match = matchesHash(HashAlgorithm::kBcrypt, stored, password);
    return is_match && *is_match;
  };
  FUZZ_CHECK(matches(*made, input.bytes));
  FUZZ_CHECK(!matches(*made, std::string(input.bytes).append(1, '\0')));
  fuzz::Choices choices(input);
  std::string changed = *made;
  changed[29 + choices.below(30)] = '.';
  if (changed != *made && costOfStored(HashAlgorithm::kBcrypt, changed)) {
    FUZZ_CHECK(!matches(changed, input.bytes));
  }
}

}  // namespace
}  // namespace sub0::auth

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0;
  const fuzz::Input input(data, size);
  if ((input.steer & 1) == 0) {
    auth::judge(std::string(input.bytes));
  } else {
    auth::judgeMade(input);
  }
  return 0;
}
