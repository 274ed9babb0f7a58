// SPDX-License-Identifier: Apache-2.0
#include "dialect/generators.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sub0::dialect {
namespace {

std::string make(GeneratorKind kind, std::uint8_t filling, std::int64_t wall_ms = 0) {
  std::uint8_t random[kGeneratorRandomBytes];
  for (std::uint8_t& byte : random) byte = filling;
  char out[kGeneratorTextBytes];
  return {out, generate(kind, random, wall_ms, out)};
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

// spec S-62
TEST(Generators, TimeOrderedKindsSortByTime) {
  EXPECT_LT(make(GeneratorKind::kUuidV7, 0xFF, 1000), make(GeneratorKind::kUuidV7, 0x00, 1001));
  EXPECT_LT(make(GeneratorKind::kUlid, 0xFF, 1000), make(GeneratorKind::kUlid, 0x00, 1001));
}

// spec S-62
TEST(Generators, KindsAreKnownByTheirExactName) {
  EXPECT_EQ(generatorKindOf("UUIDV7"), GeneratorKind::kUuidV7);
  EXPECT_EQ(generatorKindOf("uuid"), std::nullopt);
  EXPECT_EQ(generatorKindOf("CUID2"), std::nullopt);
  EXPECT_TRUE(isLaterGeneratorKind("CUID2"));
  EXPECT_FALSE(isLaterGeneratorKind("UUID"));
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
