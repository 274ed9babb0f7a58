// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/IPAddress.h>

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/address_ranges.hpp"
#include "net/http/request.hpp"

namespace sub0::net::http {

/// Whether a program on this machine sent it for itself: neither a proxy passed it on nor a page in
/// a browser had it sent. `peer_address` as text, v4-mapped ones as IPv4.
bool isOfThisMachine(std::string_view peer_address, const Request& request);

/// Who the client is (`$HEADER.ip`, S-61): the peer, or, where the peer is a trusted proxy
/// (SUB0_TRUSTED_PROXIES), the last hop of X-Forwarded-For that is not trusted. An untrusted peer's
/// header is ignored. Compiled at start, immutable, any thread.
class TrustedProxies {
 public:
  /// Trusts nobody.
  TrustedProxies() = default;

  /// `list` as for AddressRanges. ERRORS: kBadRequest naming the bad entry.
  static Result<TrustedProxies> parse(std::string_view list);

  bool trusts(const Poco::Net::IPAddress& address) const { return ranges_.contains(address); }

  /// The client's address as text (v4-mapped ones as IPv4).
  std::string clientAddress(const Poco::Net::IPAddress& peer, const Request& request) const;

 private:
  AddressRanges ranges_;
};

}  // namespace sub0::net::http
