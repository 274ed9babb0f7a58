// SPDX-License-Identifier: Apache-2.0
#include "base/sha3.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sub0 {
namespace {

std::string hexOf(std::string_view text) {
  std::string hex;
  for (const std::uint8_t byte : sha3Digest(text)) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

// FIPS 202: the examples that NIST publishes
TEST(Sha3, KnownTextsHaveTheirDigests) {
  EXPECT_EQ(hexOf(""),
            "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
            "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26");
  EXPECT_EQ(hexOf("abc"),
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
            "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0");
}

// Python's hashlib says the same; 72 bytes are one block
TEST(Sha3, TheLastBlockMayBeEmptyFullOrAlmostFull) {
  const std::pair<std::size_t, const char*> rows[] = {
      {71,
       "9e4dee6367de5a2369552f7bc5984aa66c4ddec980d907592834fc194af9cc99"
       "65bcb79292faeedcc93471ecc5b3d33983beb5549e29126074ffccc59af809b8"},
      {72,
       "574f819c848e9d6f492f03847055180317740ce2f8473374e9c59255d9e2f5fc"
       "456eef18ed169f36b74e82a03e4164694c102389c0781483838c8840890c429e"},
      {73,
       "96836c50a2d824ff0eb228e5060e0b88efd30e10b366347e95ace6909bda65b2"
       "3fa8d268ecf88ad5e53cc3492280389200015556d8c2ee3e3fbaa5bce3db678b"},
      {200,
       "45418dbae0f40fc96a00351bc4feaa22764a6c20c90034f1bef2164b36d8f2e3"
       "d5ae8a1bad8ed82c090c88f5609d4deb27420b574d7ea5e75f62ab887699e0b0"},
  };
  for (const auto& [size, digest] : rows) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(i * 7 + 1);
    EXPECT_EQ(hexOf(text), digest) << size;
  }
}

}  // namespace
}  // namespace sub0
