// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sub0 {

/// Whom a connection is counted for: an IPv4 address, or the /64 of an IPv6 address, since who has
/// one IPv6 address has 2^64 of them. 0: nobody is known.
using AddressKey = std::uint64_t;

/// The key of a numeric address (v4-mapped ones count as IPv4); 0: it is none.
AddressKey addressKey(std::string_view numeric_address);

/// "192.0.2.1" or "2001:db8:1:2::/64", for the log.
std::string addressKeyText(AddressKey key);

}  // namespace sub0
