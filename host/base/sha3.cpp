// SPDX-License-Identifier: Apache-2.0
#include "base/sha3.hpp"

#include <bit>
#include <cstddef>
#include <utility>

namespace sub0 {

namespace {

// FIPS 202, lane (x, y) at x + 5 * y; a lane is 8 bytes, the least significant first.
using Lanes = std::array<std::uint64_t, 25>;

constexpr std::size_t kDigestBytes = 64;
constexpr std::size_t kRateBytes = 200 - 2 * kDigestBytes;
constexpr int kRounds = 24;

// The round constants come out of a shift register (3.2.5), so no table has to be trusted.
constexpr std::array<std::uint64_t, kRounds> roundConstants() {
  std::array<std::uint64_t, kRounds> constants{};
  std::uint32_t shifted = 1;
  for (std::uint64_t& constant : constants) {
    for (int j = 0; j <= 6; ++j) {
      if ((shifted & 1) != 0) constant |= std::uint64_t{1} << ((1 << j) - 1);
      shifted <<= 1;
      if ((shifted & 0x100) != 0) shifted ^= 0x171;  // x^8 + x^6 + x^5 + x^4 + 1
    }
  }
  return constants;
}

void theta(Lanes& lanes) {
  std::array<std::uint64_t, 5> columns{};
  for (std::size_t i = 0; i < lanes.size(); ++i) columns[i % 5] ^= lanes[i];
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    lanes[i] ^= columns[(i + 4) % 5] ^ std::rotl(columns[(i + 1) % 5], 1);
  }
}

void rhoAndPi(Lanes& lanes) {
  std::size_t x = 1;
  std::size_t y = 0;
  std::uint64_t moved = lanes[x];
  for (int t = 0; t < 24; ++t) {
    const std::size_t next_y = (2 * x + 3 * y) % 5;
    x = y;
    y = next_y;
    std::swap(moved, lanes[x + 5 * y]);
    lanes[x + 5 * y] = std::rotl(lanes[x + 5 * y], (t + 1) * (t + 2) / 2 % 64);
  }
}

void chi(Lanes& lanes) {
  for (std::size_t y = 0; y < 25; y += 5) {
    const std::array<std::uint64_t, 5> row{lanes[y], lanes[y + 1], lanes[y + 2], lanes[y + 3],
                                           lanes[y + 4]};
    for (std::size_t x = 0; x < 5; ++x)
      lanes[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
  }
}

void permute(Lanes& lanes) {
  static constexpr auto kConstants = roundConstants();
  for (const std::uint64_t constant : kConstants) {
    theta(lanes);
    rhoAndPi(lanes);
    chi(lanes);
    lanes[0] ^= constant;
  }
}

void add(Lanes& lanes, std::size_t at, std::uint8_t byte) {
  lanes[at / 8] ^= std::uint64_t{byte} << (8 * (at % 8));
}

}  // namespace

std::array<std::uint8_t, 64> sha3Digest(std::string_view bytes) {
  Lanes lanes{};
  std::size_t at = 0;
  for (const char byte : bytes) {
    add(lanes, at, static_cast<std::uint8_t>(byte));
    if (++at < kRateBytes) continue;
    permute(lanes);
    at = 0;
  }
  add(lanes, at, 0x06);
  add(lanes, kRateBytes - 1, 0x80);
  permute(lanes);
  std::array<std::uint8_t, kDigestBytes> digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(lanes[i / 8] >> (8 * (i % 8)));
  }
  return digest;
}

}  // namespace sub0
