// SPDX-License-Identifier: Apache-2.0
#include "auth/token_claims.hpp"

#include <cmath>
#include <limits>

#include "auth/date_time.hpp"
#include "json/text_reader.hpp"

namespace sub0::auth {
namespace {

/// REQUIRES: a number.
std::int64_t toSeconds(const json::Value& number) {
  if (number.type == SUB0_INT) return number.as.i;
  constexpr long double kLimit = 9.2e18L;
  const long double seconds = json::toReal(number);
  if (seconds >= kLimit) return std::numeric_limits<std::int64_t>::max();
  if (seconds <= -kLimit) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(std::ceil(seconds));
}

}  // namespace

std::optional<json::Value> readTokenObject(std::string_view text, Arena& arena) {
  json::TextReader reader(text, &arena, json::TextReader::BigIntegers::kKeptWithDecimals);
  json::Value value{};
  if (!reader.read(value) || !json::isObject(value) || !reader.duplicates().empty()) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> timeOfClaim(Algorithm algorithm, const json::Value& claim) {
  if (algorithm == Algorithm::kV4Local) {
    return json::isText(claim) ? parseDateTime(json::chars(claim)) : std::nullopt;
  }
  if (!json::isNumber(claim)) return std::nullopt;
  return toSeconds(claim);
}

}  // namespace sub0::auth
