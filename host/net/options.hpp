// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/address_ranges.hpp"
#include "net/http/cors.hpp"
#include "net/http/forwarded.hpp"

namespace sub0::net {

/// What a further connection of a uid does.
enum class UidPolicy : std::uint8_t {
  kAll,      // nothing: each connection gets what is sent to the uid
  kReplace,  // it closes the older ones by 1008
  kRefuse,   // its handshake gets 409
};
std::optional<UidPolicy> parseUidPolicy(std::string_view name);

/// The verbs of ALLOWED_HTTP_METHODS, in capitals and in its order.
std::vector<std::string> methodsOf(std::string_view list);

/// Everything about the network that a setting changes: one struct for all loops, filled at start,
/// immutable then, read on any thread. Settings, reference table and defaults are made from
/// optionTable(): a member without a row there has no setting.
struct Options {
  std::uint64_t max_payload_bytes = std::uint64_t{1} << 20;
  std::uint64_t head_deadline_ms = 10'000;
  std::uint64_t body_deadline_ms = 30'000;
  std::uint64_t body_min_rate = 500;
  std::uint64_t body_rate_window_ms = 5'000;
  std::uint64_t keep_alive_ms = 60'000;
  std::uint64_t close_deadline_ms = 2'000;
  std::uint64_t overflow_close_ms = 10'000;
  std::uint64_t ping_interval_ms = 25'000;
  std::uint64_t pong_deadline_ms = 10'000;
  std::uint64_t stall_deadline_ms = 30'000;
  std::uint64_t soft_unsent_bytes = std::uint64_t{64} << 10;
  std::uint64_t hard_unsent_bytes = std::uint64_t{1} << 20;
  std::uint64_t unsent_budget_bytes = std::uint64_t{256} << 20;
  std::uint64_t input_budget_bytes = std::uint64_t{256} << 20;
  std::uint64_t max_waiting_bytes = std::uint64_t{64} << 10;
  std::uint64_t max_calls_under_way = 32;
  std::uint64_t accept_pause_ms = 100;
  std::uint64_t max_fragments = 1024;
  std::uint64_t max_connections = 100'000;
  std::uint64_t max_address_connections = 1'000;
  std::uint64_t max_pending = 20'000;
  std::uint64_t max_address_pending = 250;
  std::uint64_t message_rate = 0;
  std::uint64_t bad_tokens_per_second = 10;
  std::uint64_t bad_token_burst = 20;
  bool log_closed = false;
  bool allow_websocket = false;
  bool force_uid = false;
  bool accept_binary = false;  // no setting: for test servers that echo
  std::string websocket_endpoint = "ws";
  std::string allowed_methods = "GET|POST|OPTIONS";

  http::CorsPolicy cors;                                // ALLOWED_ORIGINS, compiled
  std::optional<http::TrustedProxies> trusted_proxies;  // SUB0_TRUSTED_PROXIES, compiled
  AddressRanges unlimited_addresses;                    // SUB0_UNLIMITED_ADDRESSES, compiled
  UidPolicy uid_policy = UidPolicy::kAll;               // SUB0_UID_CONNECTIONS, compiled
};

/// One setting of Options.
struct OptionRow {
  std::string_view setting;  // "SUB0_HEAD_DEADLINE_MS"
  std::variant<std::uint64_t Options::*, bool Options::*, std::string Options::*> member;
  std::string_view unit;  // "ms", "bytes", "" for texts and switches
  std::string_view text;
  std::int64_t min = 1;  // of numbers
};

std::span<const OptionRow> optionTable();

}  // namespace sub0::net
