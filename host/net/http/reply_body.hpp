// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "call/request.hpp"

// The JSON of HTTP replies (S-51, S-52). Pure functions that append to the caller's text.
namespace sub0::net::http {

/// `{"success":true,"message":…,"data":…}`; an empty message is "Operation Successful".
void appendSuccess(std::string& out, std::string_view message, const json::Value* data);

/// `{"code":"…","details":[…]}`, also used on sockets.
void appendError(std::string& out, Code code, std::span<const std::string> details);

/// `{"success":false,"message":…,"data":null,"error":…}`.
void appendFailure(std::string& out, Code code, std::string_view message,
                   std::span<const std::string> details);

/// The body of a call's reply.
void appendReply(std::string& out, const call::Reply& reply);

}  // namespace sub0::net::http
