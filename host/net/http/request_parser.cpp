// SPDX-License-Identifier: Apache-2.0
#include "net/http/request_parser.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "net/http/chunked_body.hpp"
#include "net/http/request_head.hpp"
#include "net/spare_bytes.hpp"

namespace sub0::net::http {
namespace {

constexpr std::size_t kFirstBodyBytes = 4096;

std::string_view viewOf(std::span<char> bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

/// An unfinished request: its head, then its body.
struct RequestParser::Partial {
  std::string head;
  HeadScanner scanner;
  BodyFraming framing;
  ChunkedBody chunks;
  bool head_is_read = false;
  bool continue_is_due = false;
  bool delivered = false;
  std::unique_ptr<char[]> body;
  std::size_t body_size = 0;
  std::size_t body_capacity = 0;

  std::string_view headText() const { return std::string_view(head).substr(scanner.begin()); }

  /// Grows with what has come, never by what was announced.
  void appendBody(std::span<char> piece) {
    const std::size_t needed = body_size + piece.size() + kSpareBytes;
    if (needed > body_capacity) {
      const std::size_t capacity = std::max({needed, body_capacity * 2, kFirstBodyBytes});
      std::unique_ptr<char[]> larger(new char[capacity]);
      if (body_size > 0) std::memcpy(larger.get(), body.get(), body_size);
      body = std::move(larger);
      body_capacity = capacity;
    }
    if (!piece.empty()) std::memcpy(body.get() + body_size, piece.data(), piece.size());
    body_size += piece.size();
  }

  /// Takes body bytes of `input`: kComplete once all are there.
  ChunkedBody::State takeBody(std::span<char>& input, const RequestLimits& limits,
                              ParseFailure& failure) {
    using State = ChunkedBody::State;
    if (framing.kind == BodyFraming::Kind::kChunked) {
      std::span<char> data;
      State state;
      while ((state = chunks.next(input, limits, data, failure)) == State::kData) appendBody(data);
      return state;
    }
    const auto piece = input.first(static_cast<std::size_t>(
        std::min<std::uint64_t>(input.size(), framing.length - body_size)));
    input = input.subspan(piece.size());
    if (!piece.empty()) appendBody(piece);
    return body_size == framing.length ? State::kComplete : State::kNeedMore;
  }

  /// Takes head bytes of `input`; what follows the head stays there.
  HeadScanner::State takeHead(std::span<char>& input, const RequestLimits& limits,
                              ParseFailure& failure) {
    const std::size_t known = head.size();
    const auto piece = input.first(std::min(input.size(), limits.max_head_bytes + 1 - known));
    head.append(piece.data(), piece.size());
    const auto state = scanner.scan(head, limits, failure);
    if (state == HeadScanner::State::kComplete) head.resize(scanner.size());
    input = input.subspan(head.size() - known);
    return state;
  }
};

RequestParser::RequestParser() = default;
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;

void RequestParser::release() {
  if (partial_ != nullptr && partial_->delivered) partial_.reset();
}

RequestParser::Phase RequestParser::phase() const {
  if (failed_) return Phase::kFailed;
  if (partial_ == nullptr || partial_->delivered) return Phase::kIdle;
  if (partial_->head_is_read) return Phase::kBody;
  // An empty line behind a request is not yet the next one (RFC 9112 section 2.2).
  return partial_->head == "\r" || partial_->head == "\r\n" ? Phase::kIdle : Phase::kHead;
}

std::size_t RequestParser::bodyBytes() const { return partial_ ? partial_->body_size : 0; }

std::size_t RequestParser::heldBytes() const {
  if (partial_ == nullptr) return 0;
  return sizeof(Partial) + partial_->head.capacity() + partial_->body_capacity;
}

ParseEvent RequestParser::fail() {
  failed_ = true;
  partial_.reset();
  return ParseEvent::kError;
}

ParseEvent RequestParser::next(std::span<char>& input, const RequestLimits& limits, Request& out,
                               ParseFailure& failure) {
  if (failed_) {
    input = input.subspan(input.size());
    return ParseEvent::kNeedMore;
  }
  release();
  if (partial_ != nullptr) return nextPartial(input, limits, out, failure);
  if (input.empty()) return ParseEvent::kNeedMore;

  HeadScanner scanner;
  const auto state = scanner.scan(viewOf(input), limits, failure);
  if (state == HeadScanner::State::kRefused) return fail();
  if (state == HeadScanner::State::kComplete) {
    const auto head = viewOf(input.first(scanner.size())).substr(scanner.begin());
    BodyFraming framing;
    if (!parseHead(head, limits, out, framing, failure)) return fail();
    const auto rest = input.subspan(scanner.size());
    if (framing.kind != BodyFraming::Kind::kChunked && framing.length <= rest.size()) {
      out.body = rest.first(static_cast<std::size_t>(framing.length));
      input = rest.subspan(out.body.size());
      return ParseEvent::kRequest;
    }
  }
  partial_ = std::make_unique<Partial>();
  return nextPartial(input, limits, out, failure);
}

ParseEvent RequestParser::nextPartial(std::span<char>& input, const RequestLimits& limits,
                                      Request& out, ParseFailure& failure) {
  Partial& partial = *partial_;
  bool out_is_current = false;
  if (!partial.head_is_read) {
    const auto state = partial.takeHead(input, limits, failure);
    if (state == HeadScanner::State::kRefused) return fail();
    if (state == HeadScanner::State::kIncomplete) return ParseEvent::kNeedMore;
    if (!parseHead(partial.headText(), limits, out, partial.framing, failure)) {
      return fail();
    }
    partial.head_is_read = true;
    partial.continue_is_due = out.expects_continue;
    out_is_current = true;
  }
  if (partial.framing.kind != BodyFraming::Kind::kNone) {
    if (partial.continue_is_due && input.empty()) {
      partial.continue_is_due = false;
      return ParseEvent::kSendContinue;
    }
    partial.continue_is_due = false;  // the body comes unasked
    const auto state = partial.takeBody(input, limits, failure);
    if (state == ChunkedBody::State::kRefused) {
      ParseFailure ignored;
      if (!out_is_current) parseHead(partial.headText(), limits, out, partial.framing, ignored);
      failure.origin = out.header("Origin").value_or("");
      return fail();
    }
    if (state == ChunkedBody::State::kNeedMore) return ParseEvent::kNeedMore;
  }
  // `out` serves other connections between two calls.
  if (!out_is_current) parseHead(partial.headText(), limits, out, partial.framing, failure);
  if (partial.body == nullptr) partial.appendBody({});
  out.body = {partial.body.get(), partial.body_size};
  partial.delivered = true;
  return ParseEvent::kRequest;
}

}  // namespace sub0::net::http
