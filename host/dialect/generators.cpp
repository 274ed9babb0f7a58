// SPDX-License-Identifier: Apache-2.0
#include "dialect/generators.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/sha3.hpp"

namespace sub0::dialect {

namespace {

static_assert(std::size(kGeneratorKinds) == static_cast<std::size_t>(GeneratorKind::kUniqid) + 1);

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::string_view kBase36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase57 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kNanoidAlphabet =  // base64url, the last two exchanged
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
constexpr std::size_t kNanoidSize = 21;
constexpr std::size_t kKsuidSize = 27;
constexpr std::int64_t kKsuidEpochS = 1'400'000'000;
constexpr std::size_t kShortUuidSize = 22;
constexpr std::size_t kSlugidSize = 22;
constexpr std::size_t kCuid2Size = 24;
constexpr std::size_t kCuid2SaltSize = 24;
constexpr std::uint64_t kCuid2FirstCounts = 476'782'367;  // the reference's initialCountMax
constexpr std::uint32_t kCuidCounts = 36 * 36 * 36 * 36;
constexpr std::size_t kMillisecondDigits = 8;  // in base 36, from 1972 to 2059

using UuidBytes = std::array<std::uint8_t, 16>;

void setVersion(UuidBytes& bytes, std::uint8_t version) {
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | (version << 4));
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
}

// 16 bytes as 8-4-4-4-12 with version and variant set (RFC 9562).
std::size_t writeUuid(UuidBytes bytes, std::uint8_t version, char* out) {
  setVersion(bytes, version);
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
std::size_t writeUlid(const UuidBytes& bytes, char* out) {
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

std::uint64_t numberOf(const std::uint8_t* bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | bytes[i];
  return number;
}

// The last `size` digits of `number` in base 36, zeros in front.
void putBase36(char* out, std::uint64_t number, std::size_t size) {
  for (std::size_t i = size; i-- > 0; number /= 36) out[i] = kBase36[number % 36];
}

// The same without zeros in front; returns the number of digits.
std::size_t appendBase36(char* out, std::uint64_t number) {
  std::size_t size = 1;
  for (std::uint64_t rest = number / 36; rest > 0; rest /= 36) ++size;
  putBase36(out, number, size);
  return size;
}

// Eight random digits of base 36 for each eight random bytes.
void putRandomBase36(char* out, const std::uint8_t* random, std::size_t size) {
  for (std::size_t i = 0; i < size; i += 8) putBase36(out + i, numberOf(random + i), 8);
}

// A number of big-endian bytes in `size` digits of the alphabet, as many at a time as a word holds.
template <std::size_t Bytes>
void putNumber(char* out, std::size_t size, const std::array<std::uint8_t, Bytes>& bytes,
               std::string_view alphabet) {
  static_assert(Bytes % 4 == 0);
  std::array<std::uint32_t, Bytes / 4> words{};
  for (std::size_t i = 0; i < Bytes; ++i) words[i / 4] = words[i / 4] << 8 | bytes[i];
  const std::uint64_t base = alphabet.size();
  std::uint64_t divisor = base;
  std::size_t digits_each = 1;
  for (; divisor * base <= UINT32_MAX; ++digits_each) divisor *= base;
  while (size > 0) {
    std::uint64_t rest = 0;
    for (std::uint32_t& word : words) {
      const std::uint64_t part = rest << 32 | word;
      word = static_cast<std::uint32_t>(part / divisor);
      rest = part % divisor;
    }
    for (std::size_t i = 0; i < digits_each && size > 0; ++i, rest /= base) {
      out[--size] = alphabet[rest % base];
    }
  }
}

// Times outside of what the form holds are its first or last.
void putSeconds(std::uint8_t* out, std::int64_t seconds) {
  const auto held = static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, UINT32_MAX));
  for (int i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(held >> (24 - 8 * i));
}

std::size_t writeKsuid(const std::uint8_t* random, std::int64_t wall_ms, char* out) {
  std::array<std::uint8_t, 20> bytes;
  putSeconds(bytes.data(), wall_ms / 1000 - kKsuidEpochS);
  std::memcpy(bytes.data() + 4, random, 16);
  putNumber(out, kKsuidSize, bytes, kBase62);
  return kKsuidSize;
}

// "c", milliseconds, counter, fingerprint, eight random digits.
std::size_t writeCuid(const std::uint8_t* random, std::int64_t wall_ms, GeneratorState& state,
                      char* out) {
  out[0] = 'c';
  putBase36(out + 1, static_cast<std::uint64_t>(wall_ms), kMillisecondDigits);
  putBase36(out + 9, state.cuid_counter, 4);
  state.cuid_counter = (state.cuid_counter + 1) % kCuidCounts;
  std::memcpy(out + 13, state.cuid_fingerprint.data(), state.cuid_fingerprint.size());
  putRandomBase36(out + 17, random, 8);
  return 25;
}

// What the reference calls hash(): the digest in base 36 without its first digit, which is small
// more often than others; the first `size` digits of that.
void putHash(char* out, std::size_t size, std::string_view text, std::size_t skipped) {
  char digits[100];  // of 512 bits
  putNumber(digits, sizeof digits, sha3Digest(text), kBase36);
  const std::size_t zeros = std::string_view(digits, sizeof digits).find_first_not_of('0');
  const std::size_t first = std::min(zeros, sizeof digits) + 1 + skipped;
  std::memcpy(out, digits + std::min(first, sizeof digits - size), size);
}

std::size_t writeCuid2(const std::uint8_t* random, std::int64_t wall_ms, GeneratorState& state,
                       char* out) {
  char text[13 + kCuid2SaltSize + 13 + 32];  // 64 bits have 13 digits
  std::size_t size = appendBase36(text, static_cast<std::uint64_t>(wall_ms));
  putRandomBase36(text + size, random, kCuid2SaltSize);
  size += kCuid2SaltSize;
  size += appendBase36(text + size, state.cuid2_counter++);
  std::memcpy(text + size, state.cuid2_fingerprint.data(), state.cuid2_fingerprint.size());
  size += state.cuid2_fingerprint.size();
  out[0] = kBase36[10 + numberOf(random + kCuid2SaltSize) % 26];
  putHash(out + 1, kCuid2Size - 1, {text, size}, 1);
  return kCuid2Size;
}

// Base64url of the bytes, the first bit zero: no slug begins with a dash.
std::size_t writeSlugid(UuidBytes bytes, char* out) {
  setVersion(bytes, 4);
  bytes[0] &= 0x7F;
  for (std::size_t i = 0; i < kSlugidSize; ++i) {
    const std::size_t at = i * 6 / 8;
    const std::uint32_t next = at + 1 < bytes.size() ? bytes[at + 1] : 0;
    out[i] = kBase64Url[(std::uint32_t{bytes[at]} << 8 | next) >> (10 - i * 6 % 8) & 63];
  }
  return kSlugidSize;
}

std::size_t writeBson(std::int64_t wall_ms, GeneratorState& state, char* out) {
  std::array<std::uint8_t, 12> bytes;
  putSeconds(bytes.data(), wall_ms / 1000);
  std::memcpy(bytes.data() + 4, state.bson_process.data(), state.bson_process.size());
  for (std::size_t i = 0; i < 3; ++i) {
    bytes[9 + i] = static_cast<std::uint8_t>(state.bson_counter >> (16 - 8 * i));
  }
  state.bson_counter = (state.bson_counter + 1) & 0xFFFFFF;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = kHex[bytes[i] >> 4];
    out[2 * i + 1] = kHex[bytes[i] & 0x0F];
  }
  return 24;
}

// The form of Node's package of that name: address and process, here ten random digits; then
// milliseconds, of which none is used twice.
std::size_t writeUniqid(std::int64_t wall_ms, GeneratorState& state, char* out) {
  state.uniqid_last_ms = std::max(wall_ms, state.uniqid_last_ms + 1);
  std::memcpy(out, state.uniqid_process.data(), state.uniqid_process.size());
  putBase36(out + state.uniqid_process.size(), static_cast<std::uint64_t>(state.uniqid_last_ms),
            kMillisecondDigits);
  return state.uniqid_process.size() + kMillisecondDigits;
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
  for (std::size_t i = 0; i < std::size(kGeneratorKinds); ++i) {
    if (kGeneratorKinds[i] == name) return static_cast<GeneratorKind>(i);
  }
  return std::nullopt;
}

void seedGenerators(GeneratorState& state, const std::uint8_t* random) {
  state = GeneratorState();
  state.is_seeded = true;
  std::memcpy(state.bson_process.data(), random, state.bson_process.size());
  state.bson_counter = static_cast<std::uint32_t>(numberOf(random) & 0xFFFFFF);
  putBase36(state.cuid_fingerprint.data(), numberOf(random + 8), state.cuid_fingerprint.size());
  state.cuid2_counter = numberOf(random + 16) % kCuid2FirstCounts;
  char entropy[32];
  putRandomBase36(entropy, random + 24, sizeof entropy);
  putHash(state.cuid2_fingerprint.data(), state.cuid2_fingerprint.size(), {entropy, sizeof entropy},
          0);
  putBase36(state.uniqid_process.data(), numberOf(random + 56), state.uniqid_process.size());
}

std::size_t generate(GeneratorKind kind, const std::uint8_t* random, std::int64_t wall_ms,
                     GeneratorState& state, char* out) {
  assert(state.is_seeded);
  UuidBytes bytes;
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
    case GeneratorKind::kKsuid:
      return writeKsuid(random, wall_ms, out);
    case GeneratorKind::kCuid:
      return writeCuid(random, wall_ms, state, out);
    case GeneratorKind::kCuid2:
      return writeCuid2(random, wall_ms, state, out);
    case GeneratorKind::kShortUuid:
      setVersion(bytes, 4);
      putNumber(out, kShortUuidSize, bytes, kBase57);
      return kShortUuidSize;
    case GeneratorKind::kSlugid:
      return writeSlugid(bytes, out);
    case GeneratorKind::kBson:
      return writeBson(wall_ms, state, out);
    case GeneratorKind::kUniqid:
      return writeUniqid(wall_ms, state, out);
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
