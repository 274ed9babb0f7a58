// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/http/request.hpp"

namespace sub0::net::http {

/// What a parser accepts; one object for all connections.
struct RequestLimits {
  std::size_t max_request_line_bytes = 8192;  // over it: 414
  std::size_t max_head_bytes = 16384;         // over it: 431
  std::size_t max_headers = 100;              // over it: 431
  std::size_t max_header_value_bytes = 8192;  // over it: 431
  std::size_t max_body_bytes = 1u << 20;      // over it: 413, from Content-Length alone
  std::size_t max_chunk_line_bytes = 256;     // size and extension of one chunk; over it: 400
};

enum class ParseEvent : std::uint8_t {
  kNeedMore,      // the input is used up
  kRequest,       // a whole request
  kSendContinue,  // the client waits for `100 Continue`: send it, call again
  kError,         // answer with `status`, close; parsing ends
};

/// Why a request was refused.
struct ParseFailure {
  int status = 0;           // 400, 413, 414, 417, 431, 505
  std::string_view reason;  // a literal, for the client
  std::string origin;       // the Origin header as far as the head was read; empty: none
};

/// HTTP/1.1 requests (RFC 9112), read by the letter: what the RFC does not allow is refused and the
/// connection closed, so that no proxy in front reads a message otherwise than we do (Q-5…Q-13).
/// The head is completed first, then the body by Content-Length or chunks. A request that lies
/// whole in the input is handed out in place; otherwise what is there is copied, into a partial
/// state that exists while the request is unfinished. Exactly one request is taken per kRequest:
/// what follows (a pipelined request, or frames behind an upgrade) stays in the input. Each byte is
/// looked at a fixed number of times however the input is cut. One thread; no deadlines: those are
/// the connection's.
class RequestParser {
 public:
  enum class Phase : std::uint8_t { kIdle, kHead, kBody, kFailed };

  RequestParser();
  ~RequestParser();
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;

  /// The next event of `input`, whose used part is cut off its front. REQUIRES: 64 readable bytes
  /// behind the input; `out` unused by others until the next call. On kError `failure` is set.
  ParseEvent next(std::span<char>& input, const RequestLimits& limits, Request& out,
                  ParseFailure& failure);

  /// Frees the memory of the last request. REQUIRES: nobody reads its views any more. `next` does
  /// the same.
  void release();

  /// Which deadline applies: none of a request has come, its head, or its body is unfinished.
  Phase phase() const;

  /// Bytes of the unfinished request's body that have come.
  std::size_t bodyBytes() const;

  /// Bytes held for an unfinished request, for limits and metrics.
  std::size_t heldBytes() const;

 private:
  struct Partial;

  ParseEvent fail();
  ParseEvent nextPartial(std::span<char>& input, const RequestLimits& limits, Request& out,
                         ParseFailure& failure);

  std::unique_ptr<Partial> partial_;
  bool failed_ = false;
};

}  // namespace sub0::net::http
