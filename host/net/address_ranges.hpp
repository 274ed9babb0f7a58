// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/IPAddress.h>

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace sub0::net {

/// Addresses and CIDR ranges, as a setting names them. Compiled at start, immutable, any thread.
class AddressRanges {
 public:
  /// No address.
  AddressRanges() = default;

  /// `list`: addresses and CIDR ranges parted by ',' or '|' or blanks. ERRORS: kBadRequest naming
  /// the bad entry.
  static Result<AddressRanges> parse(std::string_view list);

  bool empty() const { return ranges_.empty(); }
  /// v4-mapped addresses count as IPv4.
  bool contains(const Poco::Net::IPAddress& address) const;

 private:
  struct Range {
    Poco::Net::IPAddress network;
    unsigned prefix_bits;
  };
  std::vector<Range> ranges_;
};

/// Strict: four decimal numbers, or IPv6 without zone. (IPAddress::parse also takes `10.1` and
/// `0x7f.1`.)
std::optional<Poco::Net::IPAddress> parseAddress(std::string_view text);

/// ::ffff:a.b.c.d as a.b.c.d, so that one client has one name.
Poco::Net::IPAddress plainAddress(const Poco::Net::IPAddress& address);

}  // namespace sub0::net
