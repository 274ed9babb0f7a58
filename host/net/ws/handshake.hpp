// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "net/http/request.hpp"

// The opening handshake of RFC 6455 section 4.2, as far as the request alone decides: whether the
// endpoint is enabled and the Origin allowed (S-54) is judged by the caller before.
namespace sub0::net::ws {

/// What is wanted of a handshake beyond the RFC.
struct HandshakeSettings {
  std::span<const std::string> scheme_names;  // every resource's provide_as (S-73)
  bool force_uid = false;                     // FORCE_WEBSOCKET_WITH_UID
};

/// Outcome. `protocol` and `token` are views of the request.
struct Handshake {
  int status = 101;              // or 400, 405, 426: answer with `reason`, close
  std::string_view reason;       // a literal, for the client
  std::string_view extra_lines;  // header lines of a refusal: Allow, Sec-WebSocket-Version, …
  std::string accept;            // Sec-WebSocket-Accept
  std::string_view protocol;     // the scheme's name as offered, to be echoed; empty: none
  std::string_view token;        // the offer behind it, without `Bearer.`; empty: none. Secret
  std::string uid;               // empty: none (S-110)
  bool accepted() const { return status == 101; }
};

/// Judges an upgrade request. Extensions that are offered are not taken.
Handshake checkHandshake(const http::Request& request, const HandshakeSettings& settings);

/// Appends the 101 response; `extra_lines` as in http::ResponseHead. Names the scheme alone.
void writeSwitchingProtocols(std::string& out, const Handshake& handshake,
                             std::string_view extra_lines);

/// Sec-WebSocket-Accept of a key.
std::string acceptOf(std::string_view key);

}  // namespace sub0::net::ws
