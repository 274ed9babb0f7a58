// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Status codes of a close frame that the host sends (RFC 6455 section 7.4.1 and IANA's registry).
namespace sub0::net::ws {

inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kUnsupportedData = 1003;
inline constexpr std::uint16_t kInvalidText = 1007;
inline constexpr std::uint16_t kPolicyViolation = 1008;
inline constexpr std::uint16_t kTooBig = 1009;
inline constexpr std::uint16_t kTryLater = 1013;

}  // namespace sub0::net::ws
