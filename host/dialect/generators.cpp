// SPDX-License-Identifier: Apache-2.0
#include "dialect/generators.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace sub0::dialect {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::string_view kNanoidAlphabet =  // the 64 characters of base64url
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
constexpr std::size_t kNanoidSize = 21;
constexpr std::string_view kLaterKinds[] = {"KSUID",  "CUID", "CUID2", "SHORTUUID",
                                            "SLUGID", "BSON", "UNIQID"};

// 16 bytes as 8-4-4-4-12 with version and variant set (RFC 9562).
std::size_t writeUuid(std::array<std::uint8_t, 16> bytes, std::uint8_t version, char* out) {
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | (version << 4));
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  std::size_t size = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out[size++] = '-';
    out[size++] = kHex[bytes[i] >> 4];
    out[size++] = kHex[bytes[i] & 0x0F];
  }
  return size;
}

void putMilliseconds(std::uint8_t* out, std::int64_t wall_ms) {
  for (int i = 0; i < 6; ++i) {
    out[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(wall_ms) >> (40 - 8 * i));
  }
}

// 128 bits in 26 digits of 5 bits, the first of 3 bits.
std::size_t writeUlid(const std::array<std::uint8_t, 16>& bytes, char* out) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    high = high << 8 | bytes[i];
    low = low << 8 | bytes[i + 8];
  }
  for (std::size_t i = 26; i-- > 0;) {
    out[i] = kCrockford[low & 31];
    low = low >> 5 | high << 59;
    high >>= 5;
  }
  return 26;
}

// Days since 1970-01-01 as year, month, day (proleptic Gregorian; counted from 0000-03-01 in eras
// of 400 years, so that the leap day is the last of its year).
void civilDate(std::int64_t days, std::int64_t& year, int& month, int& day) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
}

void putDigits(char* out, std::int64_t value, int digits) {
  for (int i = digits; i-- > 0;) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

std::optional<GeneratorKind> generatorKindOf(std::string_view name) {
  constexpr GeneratorKind kKinds[] = {GeneratorKind::kUuid, GeneratorKind::kUuidV7,
                                      GeneratorKind::kUlid, GeneratorKind::kNanoid};
  for (std::size_t i = 0; i < std::size(kGeneratorKinds); ++i) {
    if (kGeneratorKinds[i] == name) return kKinds[i];
  }
  return std::nullopt;
}

bool isLaterGeneratorKind(std::string_view name) {
  return std::find(std::begin(kLaterKinds), std::end(kLaterKinds), name) != std::end(kLaterKinds);
}

std::size_t generate(GeneratorKind kind, const std::uint8_t* random, std::int64_t wall_ms,
                     char* out) {
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), random, bytes.size());
  switch (kind) {
    case GeneratorKind::kUuid:
      return writeUuid(bytes, 4, out);
    case GeneratorKind::kUuidV7:
      putMilliseconds(bytes.data(), wall_ms);
      return writeUuid(bytes, 7, out);
    case GeneratorKind::kUlid:
      putMilliseconds(bytes.data(), wall_ms);
      return writeUlid(bytes, out);
    case GeneratorKind::kNanoid:
      for (std::size_t i = 0; i < kNanoidSize; ++i) out[i] = kNanoidAlphabet[random[i] & 63];
      return kNanoidSize;
  }
  return 0;
}

void formatDateTime(std::int64_t wall_ms, char* out) {
  std::int64_t days = wall_ms / 86400000;
  std::int64_t rest = wall_ms % 86400000;
  if (rest < 0) {
    rest += 86400000;
    --days;
  }
  std::int64_t year = 0;
  int month = 0;
  int day = 0;
  civilDate(days, year, month, day);
  std::memcpy(out, "0000-00-00T00:00:00.000Z", kDateTimeBytes);
  putDigits(out, std::clamp<std::int64_t>(year, 0, 9999), 4);
  putDigits(out + 5, month, 2);
  putDigits(out + 8, day, 2);
  putDigits(out + 11, rest / 3600000, 2);
  putDigits(out + 14, rest / 60000 % 60, 2);
  putDigits(out + 17, rest / 1000 % 60, 2);
  putDigits(out + 20, rest % 1000, 3);
}

}  // namespace sub0::dialect
