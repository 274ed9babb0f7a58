// SPDX-License-Identifier: Apache-2.0
#include "net/http/forwarded.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.hpp"

namespace sub0::net::http {
namespace {

using Poco::Net::IPAddress;

/// Strict: four decimal numbers, or IPv6 without zone. (IPAddress::parse also takes `10.1` and
/// `0x7f.1`.)
std::optional<IPAddress> parseAddress(std::string_view text) {
  const std::string terminated(text);
  unsigned char bytes[16];
  if (inet_pton(AF_INET, terminated.c_str(), bytes) == 1) return IPAddress(bytes, 4);
  if (inet_pton(AF_INET6, terminated.c_str(), bytes) == 1) return IPAddress(bytes, 16);
  return std::nullopt;
}

/// ::ffff:a.b.c.d as a.b.c.d, so that one client has one name.
IPAddress plain(const IPAddress& address) {
  if (address.family() != IPAddress::IPv6 || !address.isIPv4Mapped()) return address;
  const auto* bytes = static_cast<const unsigned char*>(address.addr());
  return IPAddress(bytes + 12, 4);
}

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

Result<TrustedProxies> TrustedProxies::parse(std::string_view list) {
  TrustedProxies proxies;
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
    proxies.ranges_.push_back({*address, bits});
  }
  return proxies;
}

bool TrustedProxies::trusts(const IPAddress& address) const {
  const IPAddress simple = plain(address);
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return samePrefix(simple, range.network, range.prefix_bits) ||
           samePrefix(address, range.network, range.prefix_bits);
  });
}

std::string TrustedProxies::clientAddress(const IPAddress& peer, const Request& request) const {
  IPAddress client = plain(peer);
  if (ranges_.empty() || !trusts(client)) return client.toString();
  for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
    if (!text::equalsIgnoreCase(header->name, "X-Forwarded-For")) continue;
    std::string_view hops = header->value;
    while (!hops.empty()) {
      const auto comma = hops.rfind(',');
      const auto hop = parseHop(text::trim(comma == hops.npos ? hops : hops.substr(comma + 1)));
      if (!hop) return client.toString();  // what stands before cannot be vouched for
      client = plain(*hop);
      if (!trusts(client)) return client.toString();
      hops = comma == hops.npos ? std::string_view() : hops.substr(0, comma);
    }
  }
  return client.toString();
}

}  // namespace sub0::net::http
