// SPDX-License-Identifier: Apache-2.0
#include "base/address_key.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace sub0 {
namespace {

// The upper half of an IPv4 key: as an IPv6 prefix it would be multicast, which no peer has.
constexpr AddressKey kV4Mark = 0xFFFF'FFFF'0000'0000U;
constexpr std::size_t kTextBytes = INET6_ADDRSTRLEN;

AddressKey bigEndian(const unsigned char* bytes, std::size_t count) {
  AddressKey key = 0;
  for (std::size_t i = 0; i < count; ++i) key = key << 8 | bytes[i];
  return key;
}

}  // namespace

AddressKey addressKey(std::string_view numeric_address) {
  char text[kTextBytes] = {};
  if (numeric_address.size() >= sizeof text) return 0;
  std::copy(numeric_address.begin(), numeric_address.end(), text);
  unsigned char bytes[16];
  if (::inet_pton(AF_INET, text, bytes) == 1) return kV4Mark | bigEndian(bytes, 4);
  if (::inet_pton(AF_INET6, text, bytes) != 1) return 0;
  static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::memcmp(bytes, kMapped, sizeof kMapped) == 0) return kV4Mark | bigEndian(bytes + 12, 4);
  const AddressKey prefix = bigEndian(bytes, 8);
  return prefix == 0 ? 1 : prefix;  // ::1 and its like
}

std::string addressKeyText(AddressKey key) {
  if (key == 0) return "unknown";
  const bool is_v4 = (key & kV4Mark) == kV4Mark;
  unsigned char bytes[16] = {};
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(key >> (56 - 8 * i));
  char text[kTextBytes] = {};
  if (is_v4) {
    ::inet_ntop(AF_INET, bytes + 4, text, sizeof text);
    return text;
  }
  if (key == 1) return "::/64";
  ::inet_ntop(AF_INET6, bytes, text, sizeof text);
  return std::string(text) + "/64";
}

}  // namespace sub0
