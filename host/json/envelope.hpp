// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace sub0::json {

/// The members of a WebSocket request (S-111) as spans of the message; empty where missing.
struct Envelope {
  std::string_view resource;      // decoded text, in the message or (until its next use) the parser
  std::string_view action_json;   // JSON string with its quotes, as sent; empty: missing
  std::string_view id_json;       // JSON string or number, as sent; empty: missing
  std::string_view payload_json;  // any JSON value, as sent; empty: missing
  bool has_resource = false;
  bool has_odd_resource = false;  // it is there, but no text
  bool is_plain = false;          // no text in it has an escape
};

enum class EnvelopeMember : std::uint8_t { kResource, kAction, kId, kPayload, kOther };

/// What a decoded key of the message names.
inline EnvelopeMember envelopeMember(std::string_view key) {
  switch (key.size()) {
    case 2:
      return key == "id" ? EnvelopeMember::kId : EnvelopeMember::kOther;
    case 6:
      return key == "action" ? EnvelopeMember::kAction : EnvelopeMember::kOther;
    case 7:
      return key == "payload" ? EnvelopeMember::kPayload : EnvelopeMember::kOther;
    case 8:
      return key == "resource" ? EnvelopeMember::kResource : EnvelopeMember::kOther;
    default:
      return EnvelopeMember::kOther;
  }
}

}  // namespace sub0::json
