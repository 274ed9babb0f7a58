// SPDX-License-Identifier: Apache-2.0
// Requests: the parser says the same however they are cut (Q-5...Q-13), and each request that it
// accepts, written again in the plainest form, is read as the same request: nobody in between can
// take it for another.
#include "net/http/request_parser.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sub0::net::http {
namespace {

using fuzz::Padded;

RequestLimits limitsOf(std::uint8_t steer) {
  RequestLimits limits;
  if ((steer & 1) != 0) {
    limits.max_request_line_bytes = 64;
    limits.max_head_bytes = 256;
    limits.max_headers = 4;
    limits.max_header_value_bytes = 32;
    limits.max_body_bytes = 40;
    limits.max_chunk_line_bytes = 16;
  }
  return limits;
}

bool isPlain(std::string_view text) {
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '\0') return false;
  }
  return true;
}

void judgeRequest(const Request& request, const RequestLimits& limits) {
  FUZZ_CHECK(isToken(request.method));
  FUZZ_CHECK(request.path == "*" ? request.method == "OPTIONS" : request.path[0] == '/');
  FUZZ_CHECK(fuzz::isUtf8(request.path) && isPlain(request.path) && isPlain(request.query));
  for (const char* hole : {"//", "/./", "/../"}) {
    FUZZ_CHECK((request.path + "/").find(hole) == std::string::npos || request.path.back() == '/');
  }
  FUZZ_CHECK(request.headers.size() <= limits.max_headers);
  for (const Header& header : request.headers) {
    FUZZ_CHECK(isToken(header.name) && isPlain(header.value));
    FUZZ_CHECK(header.value.size() <= limits.max_header_value_bytes);
  }
  FUZZ_CHECK(request.minor_version == 0 || !request.host.empty());
  FUZZ_CHECK(request.countHeaders("Host") <= 1 && request.countHeaders("Content-Length") <= 1);
  FUZZ_CHECK(!(request.header("Content-Length") && request.header("Transfer-Encoding")));
  FUZZ_CHECK(request.body.size() <= limits.max_body_bytes);
  FUZZ_CHECK(request.has_body || request.body.empty());
  volatile char last = request.body.data() == nullptr
                           ? '\0'
                           : request.body.data()[request.body.size() + Padded::kSpareBytes - 1];
  static_cast<void>(last);
}

void appendAsText(const Request& request, std::string& log) {
  log.append(request.method).append(" ").append(request.path).append("?").append(request.query);
  log += request.minor_version == 0 ? " 1.0" : " 1.1";
  log += request.keep_alive ? " keep" : " close";
  if (request.connection_upgrade) log += " upgrade";
  for (const Header& header : request.headers) {
    log.append("\n").append(header.name).append(": ").append(header.value);
  }
  log.append("\n[").append(request.body.data(), request.body.size()).append("]\n");
}

/// The request in the plainest form: path escaped, body by Content-Length.
std::string rewritten(const Request& request) {
  std::string out(request.method);
  out += " ";
  for (const char c : request.path) {
    const bool is_plain = c == '/' || c == '*' || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    char escaped[4];
    std::snprintf(escaped, sizeof escaped, "%%%02X",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    is_plain ? out.push_back(c) : void(out.append(escaped));
  }
  if (!request.query.empty()) out.append("?").append(request.query);
  out += request.minor_version == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
  for (const Header& header : request.headers) {
    if (request.countHeaders(header.name) == 1 &&
        (request.header("Content-Length") == header.value ||
         request.header("Transfer-Encoding") == header.value) &&
        (header.name.size() == 14 || header.name.size() == 17)) {
      continue;
    }
    out.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (request.has_body) out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return out + "\r\n" + std::string(request.body.data(), request.body.size());
}

void judgeRewritten(const Request& request) {
  Padded again(rewritten(request));
  std::span<char> input = again.span();
  RequestParser parser;
  Request other;
  ParseFailure failure;
  FUZZ_CHECK(parser.next(input, {}, other, failure) == ParseEvent::kRequest);
  FUZZ_CHECK(input.empty());
  FUZZ_CHECK(other.method == request.method && other.path == request.path);
  FUZZ_CHECK(other.query == request.query && other.host == request.host);
  FUZZ_CHECK(std::string(other.body.data(), other.body.size()) ==
             std::string(request.body.data(), request.body.size()));
  FUZZ_CHECK(other.keep_alive == request.keep_alive);
  FUZZ_CHECK(other.connection_upgrade == request.connection_upgrade);
}

void feed(RequestParser& parser, std::string_view piece, const RequestLimits& limits,
          std::string& log) {
  Padded memory(piece);
  std::span<char> input = memory.span();
  while (true) {
    Request request;
    ParseFailure failure;
    const bool has_failed = parser.phase() == RequestParser::Phase::kFailed;
    const ParseEvent event = parser.next(input, limits, request, failure);
    if (event == ParseEvent::kNeedMore) break;
    FUZZ_CHECK(!has_failed);
    if (event == ParseEvent::kSendContinue) continue;  // depends on the cutting, by design
    if (event == ParseEvent::kError) {
      FUZZ_CHECK(failure.status == 400 || failure.status == 413 || failure.status == 414 ||
                 failure.status == 417 || failure.status == 431 || failure.status == 505);
      FUZZ_CHECK(!failure.reason.empty() && isPlain(failure.origin));
      log += "refused " + std::to_string(failure.status) + " " + failure.origin + "\n";
      continue;
    }
    judgeRequest(request, limits);
    judgeRewritten(request);
    appendAsText(request, log);
  }
  FUZZ_CHECK(input.empty());
}

std::string parseInPieces(const fuzz::Input& input, bool is_by_bytes, const RequestLimits& limits) {
  RequestParser parser;
  fuzz::Choices choices(input);
  std::string log;
  for (std::size_t at = 0; at < input.bytes.size();) {
    const std::size_t size = is_by_bytes ? 1 : choices.piece(input.bytes.size() - at);
    feed(parser, input.bytes.substr(at, size), limits, log);
    at += size;
    FUZZ_CHECK(parser.heldBytes() <= 4 * at + 4096 + 2048);  // by what came, not by what was said
  }
  return log;
}

}  // namespace
}  // namespace sub0::net::http

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0::net::http;
  const sub0::fuzz::Input input(data, size);
  const RequestLimits limits = limitsOf(input.steer);
  RequestParser parser;
  std::string whole;
  feed(parser, input.bytes, limits, whole);
  sub0::fuzz::checkEqual(whole, parseInPieces(input, false, limits), "whole and in pieces");
  sub0::fuzz::checkEqual(whole, parseInPieces(input, true, limits), "whole and byte by byte");
  return 0;
}
