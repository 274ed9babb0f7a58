// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "net/http/cors.hpp"
#include "net/http/forwarded.hpp"

namespace sub0::net {

/// Everything about the network that a setting changes: one struct for all loops, filled at start,
/// immutable then, read on any thread. Settings, reference table and defaults are made from
/// optionTable(): a member without a row there has no setting.
struct Options {
  std::uint64_t max_payload_bytes = std::uint64_t{1} << 20;
  std::uint64_t head_deadline_ms = 10'000;
  std::uint64_t body_deadline_ms = 30'000;
  std::uint64_t keep_alive_ms = 60'000;
  std::uint64_t close_deadline_ms = 2'000;
  std::uint64_t overflow_close_ms = 10'000;
  std::uint64_t ping_interval_ms = 25'000;
  std::uint64_t pong_deadline_ms = 10'000;
  std::uint64_t stall_deadline_ms = 30'000;
  std::uint64_t soft_unsent_bytes = std::uint64_t{64} << 10;
  std::uint64_t hard_unsent_bytes = std::uint64_t{1} << 20;
  std::uint64_t unsent_budget_bytes = std::uint64_t{256} << 20;
  std::uint64_t max_waiting_bytes = std::uint64_t{64} << 10;
  std::uint64_t max_calls_under_way = 32;
  std::uint64_t accept_pause_ms = 100;
  std::uint64_t max_fragments = 1024;
  bool allow_websocket = false;
  bool force_uid = false;
  bool accept_binary = false;  // no setting: for test servers that echo
  std::string websocket_endpoint = "ws";
  std::string allowed_methods = "GET|POST|OPTIONS";

  http::CorsPolicy cors;                                // ALLOWED_ORIGINS, compiled
  std::optional<http::TrustedProxies> trusted_proxies;  // SUB0_TRUSTED_PROXIES, compiled
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
