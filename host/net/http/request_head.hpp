// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/http/request.hpp"
#include "net/http/request_parser.hpp"

// The two steps of RequestParser's head: find its end, then read it. No state but the scanner's.
namespace sub0::net::http {

inline constexpr const char* kTooLarge = "the payload is larger than MAX_PAYLOAD_LIMIT allows";

/// Looks for the empty line behind a head that may come in pieces; remembers how far it has looked.
/// Judges what can be judged line by line: bare LF, lengths, the number of headers.
class HeadScanner {
 public:
  enum class State : std::uint8_t { kIncomplete, kComplete, kRefused };

  /// `text`: all bytes of the head so far, those of earlier calls at its front. kRefused: `failure`
  /// is set.
  State scan(std::string_view text, const RequestLimits& limits, ParseFailure& failure);

  /// Where the request line begins (behind one empty line that may precede it).
  std::size_t begin() const { return begin_; }
  /// kComplete: bytes up to and with the empty line.
  std::size_t size() const { return line_start_; }

 private:
  State refuse(int status, const char* reason, ParseFailure& failure) const;

  std::size_t begin_ = 0;
  std::size_t line_start_ = 0;
  std::size_t scanned_ = 0;
  std::size_t lines_ = 0;
};

/// How the end of a body is known.
struct BodyFraming {
  enum class Kind : std::uint8_t { kNone, kLength, kChunked };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;
};

/// Reads a complete head (its empty line included) into `request`, whose body is left empty. False:
/// `failure` is set.
bool parseHead(std::string_view head, const RequestLimits& limits, Request& request,
               BodyFraming& framing, ParseFailure& failure);

/// Parts a header or trailer line (without CRLF) into name and value; false: malformed.
bool parseFieldLine(std::string_view line, Header& header);

}  // namespace sub0::net::http
