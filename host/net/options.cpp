// SPDX-License-Identifier: Apache-2.0
#include "net/options.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace sub0::net {

std::vector<std::string> methodsOf(std::string_view list) {
  std::vector<std::string> methods;
  for (const std::string_view part : text::split(list, "|,")) {
    std::string method(text::trim(part));
    std::transform(method.begin(), method.end(), method.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    if (!method.empty()) methods.push_back(std::move(method));
  }
  return methods;
}

std::optional<UidPolicy> parseUidPolicy(std::string_view name) {
  if (name == "all") return UidPolicy::kAll;
  if (name == "replace") return UidPolicy::kReplace;
  if (name == "refuse") return UidPolicy::kRefuse;
  return std::nullopt;
}

namespace {

constexpr OptionRow kRows[] = {
    {"MAX_PAYLOAD_LIMIT", &Options::max_payload_bytes, "bytes",
     "The largest HTTP body (413) and WebSocket message (1009)."},
    {"SUB0_HEAD_DEADLINE_MS", &Options::head_deadline_ms, "ms",
     "Time for a request head or an opening handshake, from its first byte or the connect."},
    {"SUB0_BODY_DEADLINE_MS", &Options::body_deadline_ms, "ms",
     "Time for a request body, from the end of its head, and for a WebSocket message."},
    {"SUB0_BODY_MIN_RATE", &Options::body_min_rate, "bytes/s",
     "A request body or WebSocket message that comes slower, over a window, is given up (408, "
     "1008); 0: no minimum.",
     0},
    {"SUB0_BODY_RATE_WINDOW_MS", &Options::body_rate_window_ms, "ms",
     "The window of SUB0_BODY_MIN_RATE."},
    {"SUB0_KEEP_ALIVE_MS", &Options::keep_alive_ms, "ms",
     "How long an HTTP connection may idle between requests."},
    {"SUB0_CLOSE_DEADLINE_MS", &Options::close_deadline_ms, "ms",
     "Time for the peer's part of a close; then TCP is closed."},
    {"SUB0_OVERFLOW_CLOSE_MS", &Options::overflow_close_ms, "ms",
     "Time in which a slow reader, closed by 1008, may still fetch what waits for it."},
    {"SUB0_PING_INTERVAL_MS", &Options::ping_interval_ms, "ms",
     "Time between pings of a WebSocket connection, a tenth more or less; 0: none.", 0},
    {"SUB0_PONG_DEADLINE_MS", &Options::pong_deadline_ms, "ms", "Time to answer a ping."},
    {"SUB0_STALL_DEADLINE_MS", &Options::stall_deadline_ms, "ms",
     "A peer that takes nothing of what waits for it for so long is closed."},
    {"SUB0_UNSENT_PAUSE_BYTES", &Options::soft_unsent_bytes, "bytes",
     "Unsent bytes at which a connection's further messages wait."},
    {"SUB0_UNSENT_LIMIT_BYTES", &Options::hard_unsent_bytes, "bytes",
     "Unsent bytes at which a slow reader is closed by 1008."},
    {"SUB0_UNSENT_BUDGET_BYTES", &Options::unsent_budget_bytes, "bytes",
     "Unsent bytes of all single messages over SUB0_UNSENT_LIMIT_BYTES; beyond: busy."},
    {"SUB0_INPUT_BUDGET_BYTES", &Options::input_budget_bytes, "bytes",
     "Bytes of all unfinished or waiting messages, bodies and payloads of calls under way, "
     "beyond "
     "16 KiB of each; beyond: busy."},
    {"SUB0_WAITING_LIMIT_BYTES", &Options::max_waiting_bytes, "bytes",
     "Decoded input that a paused connection holds; then reading stops."},
    {"SUB0_CALLS_PER_CONNECTION", &Options::max_calls_under_way, "calls",
     "Calls of one WebSocket connection under way at a time; further messages wait."},
    {"SUB0_ACCEPT_PAUSE_MS", &Options::accept_pause_ms, "ms",
     "Pause of accepting when descriptors are used up."},
    {"SUB0_FRAGMENT_LIMIT", &Options::max_fragments, "frames",
     "The most fragments of one WebSocket message (1008)."},
    {"SUB0_CONNECTION_LIMIT", &Options::max_connections, "connections",
     "Connections in all; beyond: 503. 0: no limit.", 0},
    {"SUB0_CONNECTIONS_PER_ADDRESS", &Options::max_address_connections, "connections",
     "Connections of one address, or of one /64 of IPv6; beyond: 429. 0: no limit. Addresses in "
     "SUB0_UNLIMITED_ADDRESSES (by default this machine's own) are not counted.",
     0},
    {"SUB0_PENDING_LIMIT", &Options::max_pending, "connections",
     "Connections that have not sent a whole request yet; beyond: 503. 0: no limit.", 0},
    {"SUB0_PENDING_PER_ADDRESS", &Options::max_address_pending, "connections",
     "The same of one address; beyond: 429. 0: no limit.", 0},
    {"SUB0_MESSAGE_RATE", &Options::message_rate, "messages/s",
     "Messages and pings of one WebSocket connection, a second's at once at the most; beyond: "
     "closed by 1008. 0: no limit.",
     0},
    {"SUB0_BAD_TOKENS_PER_SECOND", &Options::bad_tokens_per_second, "replies/s",
     "Replies 401 to one address, beyond a burst; further ones come later, then as 429. 0: no "
     "limit.",
     0},
    {"SUB0_BAD_TOKEN_BURST", &Options::bad_token_burst, "replies",
     "Replies 401 that an address gets at once."},
    {"SUB0_LOG_CLOSED", &Options::log_closed, "",
     "Whether the log has a line per closed connection at level info; at level debug it has."},
    {"ALLOW_WEBSOCKET_CONNECTIONS", &Options::allow_websocket, "",
     "Whether the WebSocket endpoint exists."},
    {"FORCE_WEBSOCKET_WITH_UID", &Options::force_uid, "",
     "Whether a handshake without ?uid= is refused."},
    {"WEBSOCKET_ENDPOINT", &Options::websocket_endpoint, "",
     "The path of the WebSocket endpoint, without its slash."},
    {"ALLOWED_HTTP_METHODS", &Options::allowed_methods, "",
     "The HTTP verbs that may call, separated by | or ,; HEAD goes with GET."},
};

}  // namespace

std::span<const OptionRow> optionTable() { return kRows; }

}  // namespace sub0::net
