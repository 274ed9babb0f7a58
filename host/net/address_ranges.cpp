// SPDX-License-Identifier: Apache-2.0
#include "net/address_ranges.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.hpp"

namespace sub0::net {
namespace {

using Poco::Net::IPAddress;

bool samePrefix(const IPAddress& a, const IPAddress& b, unsigned bits) {
  if (a.family() != b.family()) return false;
  const auto* left = static_cast<const unsigned char*>(a.addr());
  const auto* right = static_cast<const unsigned char*>(b.addr());
  const unsigned whole = bits / 8;
  if (!std::equal(left, left + whole, right)) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((left[whole] ^ right[whole]) >> (8 - rest)) == 0;
}

}  // namespace

std::optional<IPAddress> parseAddress(std::string_view text) {
  const std::string terminated(text);
  unsigned char bytes[16];
  if (inet_pton(AF_INET, terminated.c_str(), bytes) == 1) return IPAddress(bytes, 4);
  if (inet_pton(AF_INET6, terminated.c_str(), bytes) == 1) return IPAddress(bytes, 16);
  return std::nullopt;
}

IPAddress plainAddress(const IPAddress& address) {
  if (address.family() != IPAddress::IPv6 || !address.isIPv4Mapped()) return address;
  const auto* bytes = static_cast<const unsigned char*>(address.addr());
  return IPAddress(bytes + 12, 4);
}

Result<AddressRanges> AddressRanges::parse(std::string_view list) {
  AddressRanges ranges;
  for (const auto entry : text::split(list, ",| \t")) {
    if (entry.empty()) continue;
    const auto slash = entry.find('/');
    const auto address = parseAddress(entry.substr(0, slash));
    const unsigned width = address && address->family() == IPAddress::IPv6 ? 128 : 32;
    unsigned bits = width;
    bool good = address.has_value();
    if (good && slash != entry.npos) {
      const auto digits = entry.substr(slash + 1);
      const auto [end, error] = std::from_chars(digits.begin(), digits.end(), bits);
      good = error == std::errc() && end == digits.end() && bits <= width;
    }
    if (!good) {
      std::string message(1, '\'');
      message.append(text::escapeControl(entry));
      message.append("' is no address or range: write 10.0.0.0/8 or ::1");
      return makeError(Code::kBadRequest, std::move(message));
    }
    ranges.ranges_.push_back({*address, bits});
  }
  return ranges;
}

bool AddressRanges::contains(const IPAddress& address) const {
  const IPAddress simple = plainAddress(address);
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return samePrefix(simple, range.network, range.prefix_bits) ||
           samePrefix(address, range.network, range.prefix_bits);
  });
}

}  // namespace sub0::net
