// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/shared_bytes.hpp"
#include "call/request.hpp"

// What a server says in a text message: replies (S-112) and broadcasts (S-115), each written as a
// whole frame behind what the caller's text holds already. Pure functions; any thread.
namespace sub0::net::ws {

/// Appends the frame of a reply; returns its length. `uid_json`: a JSON string or `null`.
std::size_t appendReplyFrame(std::string& out, std::string_view uid_json, const call::Reply& reply);

/// The frame of a broadcast: `{"action":…,"data":…}`.
SharedBytes makeBroadcastFrame(std::string_view action, const json::Value* data);

}  // namespace sub0::net::ws
