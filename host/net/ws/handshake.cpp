// SPDX-License-Identifier: Apache-2.0
#include "net/ws/handshake.hpp"

#include <Poco/SHA1Engine.h>

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "net/http/query_string.hpp"
#include "net/http/response_writer.hpp"

namespace sub0::net::ws {
namespace {

constexpr std::string_view kUpgradeLines =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";

void refuse(int status, std::string_view reason, Handshake& handshake,
            std::string_view extra_lines = {}) {
  handshake.status = status;
  handshake.reason = reason;
  handshake.extra_lines = extra_lines;
}

/// 16 bytes in base64: 22 characters and "==".
bool isKey(std::string_view key) {
  return key.size() == 24 && key.substr(22) == "==" &&
         std::all_of(key.begin(), key.begin() + 22, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '/';
         });
}

/// What the RFC demands of the request; false: refused.
bool checkRequest(const http::Request& request, Handshake& handshake) {
  if (!request.isGet()) {
    refuse(405, "a WebSocket is opened by GET", handshake, "Allow: GET\r\n");
    return false;
  }
  if (request.minor_version == 0) {
    refuse(400, "a WebSocket needs HTTP/1.1", handshake);
    return false;
  }
  if (request.host.empty()) {
    refuse(400, "no Host", handshake);
    return false;
  }
  if (request.has_body) {
    refuse(400, "an opening handshake has no body", handshake);
    return false;
  }
  if (!request.connection_upgrade || !request.headerHasToken("Upgrade", "websocket")) {
    refuse(426, "this is a WebSocket endpoint: send Upgrade: websocket", handshake, kUpgradeLines);
    return false;
  }
  if (request.countHeaders("Sec-WebSocket-Version") != 1 ||
      request.header("Sec-WebSocket-Version") != "13") {
    refuse(426, "only WebSocket version 13 is spoken here", handshake, kUpgradeLines);
    return false;
  }
  if (request.countHeaders("Sec-WebSocket-Key") != 1 ||
      !isKey(*request.header("Sec-WebSocket-Key"))) {
    refuse(400, "Sec-WebSocket-Key must be 16 bytes in base64", handshake);
    return false;
  }
  return true;
}

/// All subprotocols offered, in order; false: one is no token.
bool collectOffers(const http::Request& request, std::vector<std::string_view>& offers) {
  for (const http::Header& header : request.headers) {
    if (!text::equalsIgnoreCase(header.name, "Sec-WebSocket-Protocol")) continue;
    for (const auto offer : text::split(header.value, ",")) {
      if (offer.empty()) continue;
      if (!http::isToken(offer)) return false;
      offers.push_back(offer);
    }
  }
  return true;
}

bool isSchemeName(std::string_view offer, std::span<const std::string> scheme_names) {
  if (text::equalsIgnoreCase(offer, "Authorization")) return true;
  if (text::equalsIgnoreCase(offer, "x-access-token")) return true;
  return std::any_of(scheme_names.begin(), scheme_names.end(), [offer](const std::string& name) {
    return text::equalsIgnoreCase(name, offer);
  });
}

/// S-73: the first offer is selected if it names a scheme; the second is the token.
void selectProtocol(const std::vector<std::string_view>& offers,
                    std::span<const std::string> scheme_names, Handshake& handshake) {
  constexpr std::string_view kBearer = "Bearer.";
  if (offers.empty() || !isSchemeName(offers[0], scheme_names)) return;
  handshake.protocol = offers[0];
  if (offers.size() < 2) return;
  std::string_view token = offers[1];
  if (text::equalsIgnoreCase(offers[0], "Authorization") &&
      text::equalsIgnoreCase(token.substr(0, kBearer.size()), kBearer)) {
    token.remove_prefix(kBearer.size());
  }
  handshake.token = token;
}

}  // namespace

std::string acceptOf(std::string_view key) {
  constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  Poco::SHA1Engine engine;
  engine.update(key.data(), key.size());
  engine.update(kGuid.data(), kGuid.size());
  const auto& digest = engine.digest();
  return text::base64Encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Handshake checkHandshake(const http::Request& request, const HandshakeSettings& settings) {
  Handshake handshake;
  if (!checkRequest(request, handshake)) return handshake;
  std::vector<std::string_view> offers;
  if (!collectOffers(request, offers)) {
    refuse(400, "malformed Sec-WebSocket-Protocol", handshake);
    return handshake;
  }
  auto uid = http::parseUid(request.query);
  if (!uid) {
    refuse(400, "malformed uid: at most 256 bytes of UTF-8 without control characters", handshake);
    return handshake;
  }
  if (uid->empty() && settings.force_uid) {
    refuse(400, "a uid is required: connect with ?uid=", handshake);
    return handshake;
  }
  handshake.uid = std::move(*uid);
  handshake.accept = acceptOf(*request.header("Sec-WebSocket-Key"));
  selectProtocol(offers, settings.scheme_names, handshake);
  return handshake;
}

void writeSwitchingProtocols(std::string& out, const Handshake& handshake,
                             std::string_view extra_lines) {
  out.append(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ");
  out.append(handshake.accept).append("\r\n");
  if (!handshake.protocol.empty()) {
    http::appendHeader(out, "Sec-WebSocket-Protocol", handshake.protocol);
  }
  out.append(extra_lines).append("\r\n");
}

}  // namespace sub0::net::ws
