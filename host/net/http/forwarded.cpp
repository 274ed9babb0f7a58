// SPDX-License-Identifier: Apache-2.0
#include "net/http/forwarded.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace sub0::net::http {
namespace {

using Poco::Net::IPAddress;

/// A hop of X-Forwarded-For: an address, perhaps with a port; IPv6 with a port stands in brackets.
std::optional<IPAddress> parseHop(std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == text.npos) return std::nullopt;
    return parseAddress(text.substr(1, end - 1));
  }
  if (std::count(text.begin(), text.end(), ':') == 1) text = text.substr(0, text.find(':'));
  return parseAddress(text);
}

}  // namespace

bool isOfThisMachine(std::string_view peer_address, const Request& request) {
  if (peer_address != "::1" && peer_address.substr(0, 4) != "127.") return false;
  for (const auto* name : {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
                           "X-Real-IP", "Via", "Origin"}) {
    if (request.header(name)) return false;
  }
  return true;
}

Result<TrustedProxies> TrustedProxies::parse(std::string_view list) {
  auto ranges = AddressRanges::parse(list);
  if (!ranges) return ranges.error();
  TrustedProxies proxies;
  proxies.ranges_ = std::move(*ranges);
  return proxies;
}

std::string TrustedProxies::clientAddress(const IPAddress& peer, const Request& request) const {
  IPAddress client = plainAddress(peer);
  if (ranges_.empty() || !trusts(client)) return client.toString();
  for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
    if (!text::equalsIgnoreCase(header->name, "X-Forwarded-For")) continue;
    std::string_view hops = header->value;
    while (!hops.empty()) {
      const auto comma = hops.rfind(',');
      const auto hop = parseHop(text::trim(comma == hops.npos ? hops : hops.substr(comma + 1)));
      if (!hop) return client.toString();  // what stands before cannot be vouched for
      client = plainAddress(*hop);
      if (!trusts(client)) return client.toString();
      hops = comma == hops.npos ? std::string_view() : hops.substr(0, comma);
    }
  }
  return client.toString();
}

}  // namespace sub0::net::http
