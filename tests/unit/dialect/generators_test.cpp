// SPDX-License-Identifier: Apache-2.0
#include "dialect/generators.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include "dialect/pattern.hpp"

namespace sub0::dialect {
namespace {

constexpr std::int64_t kWallMs = 1769860800123;  // 2026-01-31T12:00:00.123Z
constexpr std::string_view kBase36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Bytes that a line of numbers gives, so that references can be fed with the same.
template <std::size_t Size>
std::array<std::uint8_t, Size> pattern(std::size_t step, std::size_t first) {
  std::array<std::uint8_t, Size> bytes;
  for (std::size_t i = 0; i < Size; ++i) bytes[i] = static_cast<std::uint8_t>(i * step + first);
  return bytes;
}

GeneratorState seeded(std::size_t first = 11) {
  GeneratorState state;
  seedGenerators(state, pattern<kGeneratorSeedBytes>(37, first).data());
  return state;
}

std::string make(GeneratorKind kind, const std::array<std::uint8_t, kGeneratorRandomBytes>& random,
                 std::int64_t wall_ms, GeneratorState& state) {
  char out[kGeneratorTextBytes];
  return {out, generate(kind, random.data(), wall_ms, state, out)};
}

std::string make(GeneratorKind kind, std::uint8_t filling, std::int64_t wall_ms = 0) {
  GeneratorState state = seeded();
  return make(kind, pattern<kGeneratorRandomBytes>(0, filling), wall_ms, state);
}

/// What `text` means as a number, as far as 64 bits go.
std::uint64_t numberOf(std::string_view text, std::string_view alphabet) {
  std::uint64_t number = 0;
  for (const char c : text) number = number * alphabet.size() + alphabet.find(c);
  return number;
}

/// The big-endian bytes that `text` means.
std::vector<std::uint8_t> bytesOf(std::string_view text, std::string_view alphabet,
                                  std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (const char c : text) {
    std::size_t carry = alphabet.find(c);
    for (std::size_t i = size; i-- > 0; carry /= 256) {
      carry += bytes[i] * alphabet.size();
      bytes[i] = static_cast<std::uint8_t>(carry);
    }
    EXPECT_EQ(carry, 0u) << text;
  }
  return bytes;
}

std::int64_t secondsOf(const std::vector<std::uint8_t>& bytes) {
  return std::int64_t{bytes[0]} << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

// spec S-62
TEST(Generators, UuidsHaveTheirVersionAndVariantWhateverIsRandom) {
  EXPECT_EQ(make(GeneratorKind::kUuid, 0x00), "00000000-0000-4000-8000-000000000000");
  EXPECT_EQ(make(GeneratorKind::kUuid, 0xFF), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(make(GeneratorKind::kUuidV7, 0xFF, 0x017F22E279B0),
            "017f22e2-79b0-7fff-bfff-ffffffffffff");
}

// spec S-62
TEST(Generators, UlidsAndNanoidsUseTheirAlphabetsAndLengths) {
  EXPECT_EQ(make(GeneratorKind::kUlid, 0x00, 1469918176385), "01ARYZ6S410000000000000000");
  EXPECT_EQ(make(GeneratorKind::kUlid, 0xFF, 281474976710655), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  EXPECT_EQ(make(GeneratorKind::kNanoid, 0x00), "AAAAAAAAAAAAAAAAAAAAA");
  EXPECT_EQ(make(GeneratorKind::kNanoid, 0xFF), "---------------------");
}

// spec S-62: the example of KSUID's own documentation, and its first and last value
TEST(Generators, KsuidsAreSecondsSince2014AndRandomBytesInBase62) {
  GeneratorState state = seeded();
  const std::array<std::uint8_t, kGeneratorRandomBytes> payload{0xB5, 0xA1, 0xCD, 0x34, 0xB5, 0xF9,
                                                                0x9D, 0x11, 0x54, 0xFB, 0x68, 0x53,
                                                                0x34, 0x5C, 0x97, 0x35};
  EXPECT_EQ(make(GeneratorKind::kKsuid, payload, 1507608047999, state),
            "0ujtsYcgvSTl8PAuAdqWYSMnLOv");
  EXPECT_EQ(make(GeneratorKind::kKsuid, 0x00, 0), "000000000000000000000000000");
  EXPECT_EQ(make(GeneratorKind::kKsuid, 0xFF, INT64_MAX), "aWgEPTl1tmebfsQzFP4bxwgy80V");
}

// spec S-62: @paralleldrive/cuid2 2.3.1, fed with the same digits, count and time, makes these
TEST(Generators, Cuid2sAreThoseOfTheReference) {
  GeneratorState state = seeded();
  EXPECT_EQ(std::string_view(state.cuid2_fingerprint.data(), 32),
            "2rcou550kn9e0i492cq1nqs7k5t2uiau");
  const auto random = pattern<kGeneratorRandomBytes>(53, 7);
  EXPECT_EQ(make(GeneratorKind::kCuid2, random, kWallMs, state), "qddxh95f3q7frzjm2tiunbao");
  EXPECT_EQ(make(GeneratorKind::kCuid2, random, kWallMs, state), "qrj0gojx83a4jnhkic3uuijh");
}

// spec S-62: the examples of the packages shortuuid (Python, from 1.0 on) and ShortUUID (Elixir)
TEST(Generators, ShortUuidsAreUuidsInBase57) {
  GeneratorState state = seeded();
  EXPECT_EQ(make(GeneratorKind::kShortUuid,
                 {0x3B, 0x1F, 0x8B, 0x40, 0x22, 0x2C, 0x4A, 0x6E, 0xB7, 0x7E, 0x77, 0x9D, 0x5A,
                  0x94, 0xE2, 0x1C},
                 kWallMs, state),
            "CXc85b4rqinB7s5J52TRYb");
  EXPECT_EQ(make(GeneratorKind::kShortUuid,
                 {0x55, 0x0E, 0x84, 0x00, 0xE2, 0x9B, 0x41, 0xD4, 0xA7, 0x16, 0x44, 0x66, 0x55,
                  0x44, 0x00, 0x00},
                 kWallMs, state),
            "H9cNmGXLEc8NWcZzSThA9S");
  // ffffffff-ffff-4fff-bfff-ffffffffffff and 00000000-0000-4000-8000-000000000000
  EXPECT_EQ(make(GeneratorKind::kShortUuid, 0xFF), "oZEq7ovRNwEcvxsXMLKUsV");
  EXPECT_EQ(make(GeneratorKind::kShortUuid, 0x00), "222222226WxN9XkumNJJJ8");
}

// spec S-62: what the package slugid makes of 073c71a6-db10-457a-afe4-194e83b8ed22
TEST(Generators, SlugidsAreNiceUuidsInBase64Url) {
  GeneratorState state = seeded();
  const auto random = pattern<kGeneratorRandomBytes>(53, 7);
  EXPECT_EQ(make(GeneratorKind::kSlugid, random, kWallMs, state), "BzxxptsQRXqv5BlOg7jtIg");
  EXPECT_EQ(make(GeneratorKind::kUuid, random, kWallMs, state),
            "073c71a6-db10-457a-afe4-194e83b8ed22");
  EXPECT_EQ(make(GeneratorKind::kSlugid, 0xFF), "f_______T_-__________w");  // first bit cleared
}

// spec S-62: time, counter, fingerprint, random, each where it belongs
TEST(Generators, CuidsHaveTimeCounterFingerprintAndRandomDigits) {
  GeneratorState state = seeded();
  state.cuid_counter = 36 * 36 * 36 * 36 - 1;
  const auto random = pattern<kGeneratorRandomBytes>(0, 0);
  const std::string print(state.cuid_fingerprint.data(), 4);
  EXPECT_EQ(make(GeneratorKind::kCuid, random, kWallMs, state),
            "cml29f9ffzzzz" + print + "00000000");
  EXPECT_EQ(make(GeneratorKind::kCuid, random, kWallMs, state),
            "cml29f9ff0000" + print + "00000000");
  EXPECT_EQ(make(GeneratorKind::kCuid, 0xFF, 0).size(), 25u);
}

// spec S-62: seconds, the same five bytes, a counter that begins anew behind ffffff
TEST(Generators, BsonIdsCountWithinTheirProcess) {
  GeneratorState state = seeded();
  state.bson_counter = 0xFFFFFF;
  const auto random = pattern<kGeneratorRandomBytes>(0, 0);
  EXPECT_EQ(make(GeneratorKind::kBson, random, kWallMs, state), "697deec00b30557a9fffffff");
  EXPECT_EQ(make(GeneratorKind::kBson, random, kWallMs, state), "697deec00b30557a9f000000");
  EXPECT_EQ(seeded().bson_counter, 0xC4E90Eu);
  EXPECT_NE(seeded(12).bson_process, seeded(11).bson_process);
}

// spec S-62: no millisecond is used twice, also where the clock stands still or goes back
TEST(Generators, UniqidsNeverUseATimeTwice) {
  GeneratorState state = seeded();
  const auto random = pattern<kGeneratorRandomBytes>(0, 0);
  const std::string process(state.uniqid_process.data(), 10);
  EXPECT_EQ(make(GeneratorKind::kUniqid, random, kWallMs, state), process + "ml29f9ff");
  EXPECT_EQ(make(GeneratorKind::kUniqid, random, kWallMs, state), process + "ml29f9fg");
  EXPECT_EQ(make(GeneratorKind::kUniqid, random, kWallMs - 5000, state), process + "ml29f9fh");
  EXPECT_EQ(make(GeneratorKind::kUniqid, random, kWallMs + 36, state), process + "ml29f9gf");
}

// spec S-62
TEST(Generators, TimeOrderedKindsSortByTime) {
  for (const GeneratorKind kind : {GeneratorKind::kUuidV7, GeneratorKind::kUlid,
                                   GeneratorKind::kCuid, GeneratorKind::kUniqid}) {
    EXPECT_LT(make(kind, 0xFF, kWallMs), make(kind, 0x00, kWallMs + 1));
  }
  for (const GeneratorKind kind : {GeneratorKind::kKsuid, GeneratorKind::kBson}) {
    EXPECT_LT(make(kind, 0xFF, kWallMs), make(kind, 0x00, kWallMs + 1000));
  }
}

// spec S-62: the instant stands in the identifier, and comes out as it went in
TEST(Generators, TheTimeCanBeReadBack) {
  const std::int64_t times[] = {kWallMs, 1400000000000, 1500000000001, 2000000000999,
                                2800000000000};
  for (const std::int64_t wall_ms : times) {
    for (const std::uint8_t filling : {std::uint8_t{0}, std::uint8_t{0xA5}, std::uint8_t{0xFF}}) {
      const auto ms = static_cast<std::uint64_t>(wall_ms);
      EXPECT_EQ(numberOf(make(GeneratorKind::kCuid, filling, wall_ms).substr(1, 8), kBase36), ms);
      EXPECT_EQ(numberOf(make(GeneratorKind::kUniqid, filling, wall_ms).substr(10), kBase36), ms);
      const auto ksuid = bytesOf(make(GeneratorKind::kKsuid, filling, wall_ms), kBase62, 20);
      EXPECT_EQ(secondsOf(ksuid) + 1'400'000'000, wall_ms / 1000);
      const auto bson =
          bytesOf(make(GeneratorKind::kBson, filling, wall_ms), kBase36.substr(0, 16), 12);
      EXPECT_EQ(secondsOf(bson), wall_ms / 1000);
    }
  }
}

struct Form {
  const char* kind;
  const char* expression;
};
class GeneratorForms : public testing::TestWithParam<Form> {};

// spec S-62: length and alphabet of each kind, and no value twice, at one instant
TEST_P(GeneratorForms, AHundredThousandValuesHaveTheirFormAndDiffer) {
  const auto kind = generatorKindOf(GetParam().kind);
  ASSERT_TRUE(kind);
  std::string problem;
  const std::string source = "^(?:" + std::string(GetParam().expression) + ")$";
  const auto expression = Pattern::compile(source, problem);
  ASSERT_NE(expression, nullptr) << problem;
  std::mt19937_64 random(62);
  GeneratorState state = seeded();
  std::unordered_set<std::string> made;
  for (int i = 0; i < 100'000; ++i) {
    std::array<std::uint8_t, kGeneratorRandomBytes> bytes;
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      const std::uint64_t word = random();
      std::memcpy(bytes.data() + at, &word, sizeof word);
    }
    const std::string value = make(*kind, bytes, kWallMs, state);
    ASSERT_TRUE(expression->isIn(value)) << value;
    ASSERT_TRUE(made.insert(value).second) << value;
  }
}

constexpr Form kForms[] = {
    {"UUID", "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"},
    {"UUIDV7", "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"},
    {"ULID", "[0-9A-HJKMNP-TV-Z]{26}"},
    {"NANOID", "[A-Za-z0-9_-]{21}"},
    {"KSUID", "[0-9A-Za-z]{27}"},
    {"CUID", "c[0-9a-z]{24}"},
    {"CUID2", "[a-z][0-9a-z]{23}"},
    {"SHORTUUID", "[2-9A-HJ-NP-Za-km-z]{22}"},
    {"SLUGID",
     "[A-Za-f][A-Za-z0-9_-]{7}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]"},
    {"BSON", "[0-9a-f]{24}"},
    {"UNIQID", "[0-9a-z]{18}"},
};
static_assert(std::size(kForms) == std::size(kGeneratorKinds));
INSTANTIATE_TEST_SUITE_P(EveryKind, GeneratorForms, testing::ValuesIn(kForms),
                         [](const auto& each) { return std::string(each.param.kind); });

// spec S-62: loops and hosts differ by what was random at their start
TEST(Generators, StatesOfOtherSeedsMakeOtherValues) {
  const auto random = pattern<kGeneratorRandomBytes>(0, 0);
  for (const GeneratorKind kind : {GeneratorKind::kCuid, GeneratorKind::kCuid2,
                                   GeneratorKind::kBson, GeneratorKind::kUniqid}) {
    GeneratorState one = seeded(11);
    GeneratorState other = seeded(12);
    EXPECT_NE(make(kind, random, kWallMs, one), make(kind, random, kWallMs, other));
  }
}

// spec S-62
TEST(Generators, KindsAreKnownByTheirExactName) {
  EXPECT_EQ(generatorKindOf("UUIDV7"), GeneratorKind::kUuidV7);
  EXPECT_EQ(generatorKindOf("CUID2"), GeneratorKind::kCuid2);
  EXPECT_EQ(generatorKindOf("UNIQID"), GeneratorKind::kUniqid);
  EXPECT_EQ(generatorKindOf("uuid"), std::nullopt);
  EXPECT_EQ(generatorKindOf("CUID3"), std::nullopt);
  EXPECT_EQ(generatorKindOf(""), std::nullopt);
}

// spec S-61
TEST(DateTime, IsIsoUtcWithMilliseconds) {
  const auto format = [](std::int64_t wall_ms) {
    char out[kDateTimeBytes];
    formatDateTime(wall_ms, out);
    return std::string(out, kDateTimeBytes);
  };
  EXPECT_EQ(format(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format(951827696789), "2000-02-29T12:34:56.789Z");
  EXPECT_EQ(format(1709251199999), "2024-02-29T23:59:59.999Z");
  EXPECT_EQ(format(4107542400000), "2100-03-01T00:00:00.000Z");
}

}  // namespace
}  // namespace sub0::dialect
