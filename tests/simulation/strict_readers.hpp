// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a strict client makes of the bytes that a server sends. Nothing of the host's codec: these
// judge it. Each takes what has arrived from the front of `input` and says what it was.
namespace sub0::simulation {

enum class Read : unsigned char { kMore, kOne, kBad };

/// A response to one request (RFC 9112): status line, header fields, a body by Content-Length.
struct Response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  bool closes = false;

  const std::string* header(std::string_view name) const;
};

/// `has_body`: no for HEAD. An interim 100 is a response of its own.
Read readResponse(std::string& input, bool has_body, Response& response, std::string& problem);

/// A frame from a server (RFC 6455), and what it means.
struct ServerFrame {
  enum class Kind : unsigned char { kText, kPing, kPong, kClose };
  Kind kind = Kind::kText;
  std::string payload;  // of a close: the reason
  std::uint16_t close_code = 0;
};

class FrameReader {
 public:
  /// kBad: what a server must never send; `problem` says what.
  Read next(std::string& input, ServerFrame& frame, std::string& problem);

 private:
  Read fail(std::string& problem, const char* text) {
    problem = text;
    return Read::kBad;
  }
  bool is_closed_ = false;
};

/// A client's frame, masked; `first`: opcode with FIN and RSV bits as they are to be sent.
std::string clientFrame(std::uint8_t first, std::string_view payload, std::uint32_t mask);

}  // namespace sub0::simulation
