// SPDX-License-Identifier: Apache-2.0
#include "net/http/request_head.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/header_limit.hpp"
#include "base/text.hpp"
#include "net/http/character_classes.hpp"

namespace sub0::net::http {
namespace {

static_assert(RequestLimits{}.max_header_value_bytes == kMaxHeaderValueBytes);

bool refuse(int status, const char* reason, ParseFailure& failure) {
  failure.status = status;
  failure.reason = reason;
  return false;
}

bool isAllOfClass(std::string_view text, std::uint8_t bits) {
  return std::all_of(text.begin(), text.end(), [bits](char c) { return isOfClass(c, bits); });
}

bool isDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool isVersion(std::string_view version) {
  return version.size() == 8 && version.substr(0, 5) == "HTTP/" && version[6] == '.' &&
         isDigits(version.substr(5, 1)) && isDigits(version.substr(7, 1));
}

/// Decodes %XX once into `path`; an encoded slash would change the segments: refused.
bool decodePath(std::string_view encoded, std::string& path) {
  path.clear();
  for (std::size_t index = 0; index < encoded.size(); ++index) {
    char c = encoded[index];
    if (c == '%') {
      if (encoded.size() - index < 3) return false;
      const int high = hexDigit(encoded[index + 1]);
      const int low = hexDigit(encoded[index + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      if (c == '/') return false;
      index += 2;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F) return false;
    path.push_back(c);
  }
  return text::isUtf8(path);
}

/// No empty segment but a last one, no "." and no "..": one resource has one path.
bool hasPlainSegments(std::string_view path) {
  std::size_t start = 1;
  while (true) {
    const auto slash = path.find('/', start);
    const auto segment = path.substr(start, slash == path.npos ? path.npos : slash - start);
    if (segment == "." || segment == "..") return false;
    if (slash == path.npos) return true;
    if (segment.empty()) return false;
    start = slash + 1;
  }
}

bool parseTarget(std::string_view target, Request& request, ParseFailure& failure) {
  if (target == "*" && request.method == "OPTIONS") {
    request.path.assign(1, '*');
    return true;
  }
  if (target.empty() || target[0] != '/' || !isAllOfClass(target, kTargetClass)) {
    return refuse(400, "the request target is not a path", failure);
  }
  const auto question = target.find('?');
  if (question != target.npos) request.query = target.substr(question + 1);
  if (!decodePath(target.substr(0, question), request.path) || !hasPlainSegments(request.path)) {
    return refuse(400, "malformed path", failure);
  }
  return true;
}

bool parseRequestLine(std::string_view line, Request& request, ParseFailure& failure) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == line.npos || first == last) return refuse(400, "malformed request line", failure);
  const auto version = line.substr(last + 1);
  request.method = line.substr(0, first);
  if (!isToken(request.method) || !isVersion(version)) {
    return refuse(400, "malformed request line", failure);
  }
  if (version[5] != '1') return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here", failure);
  request.minor_version = version[7] == '0' ? 0 : 1;
  return parseTarget(line.substr(first + 1, last - first - 1), request, failure);
}

bool isHost(std::string_view host) {
  const auto port_colon = host.rfind(':');
  std::string_view name = host;
  if (port_colon != host.npos && host.find(']', port_colon) == host.npos) {
    const auto port = host.substr(port_colon + 1);
    if (port.size() > 5 || !(port.empty() || isDigits(port))) return false;
    name = host.substr(0, port_colon);
  }
  if (name.empty()) return false;
  if (name.front() != '[') return isAllOfClass(name, kHostClass);
  if (name.size() < 4 || name.back() != ']') return false;
  const auto address = name.substr(1, name.size() - 2);
  return std::all_of(address.begin(), address.end(),
                     [](char c) { return hexDigit(c) >= 0 || c == ':' || c == '.'; });
}

/// What a head says of its connection and its body.
struct HeadFacts {
  std::size_t hosts = 0;
  std::size_t content_lengths = 0;
  std::size_t transfer_encodings = 0;
  bool wants_close = false;
  std::string_view content_length;
  std::string_view transfer_encoding;
  std::string_view expect;
};

void noteHeader(const Header& header, HeadFacts& facts, Request& request) {
  switch (header.name.size()) {
    case 4:
      if (!text::equalsIgnoreCase(header.name, "Host")) return;
      ++facts.hosts;
      request.host = header.value;
      return;
    case 6:
      if (text::equalsIgnoreCase(header.name, "Expect")) facts.expect = header.value;
      return;
    case 10:
      if (!text::equalsIgnoreCase(header.name, "Connection")) return;
      if (listHasToken(header.value, "close")) facts.wants_close = true;
      if (listHasToken(header.value, "upgrade")) request.connection_upgrade = true;
      return;
    case 14:
      if (!text::equalsIgnoreCase(header.name, "Content-Length")) return;
      ++facts.content_lengths;
      facts.content_length = header.value;
      return;
    case 17:
      if (!text::equalsIgnoreCase(header.name, "Transfer-Encoding")) return;
      ++facts.transfer_encodings;
      facts.transfer_encoding = header.value;
      return;
    default:
      return;
  }
}

/// RFC 9112 section 6.3 without its leniencies: whatever two readers could understand differently
/// is refused.
bool judgeFraming(const HeadFacts& facts, const RequestLimits& limits, const Request& request,
                  BodyFraming& framing, ParseFailure& failure) {
  framing = {};
  if (facts.transfer_encodings > 0) {
    if (facts.content_lengths > 0) {
      return refuse(400, "Content-Length together with Transfer-Encoding", failure);
    }
    if (facts.transfer_encodings > 1 || request.minor_version == 0 ||
        !text::equalsIgnoreCase(facts.transfer_encoding, "chunked")) {
      return refuse(400, "unsupported Transfer-Encoding", failure);
    }
    framing.kind = BodyFraming::Kind::kChunked;
    return true;
  }
  if (facts.content_lengths == 0) return true;
  if (facts.content_lengths > 1) return refuse(400, "more than one Content-Length", failure);
  if (!isDigits(facts.content_length)) return refuse(400, "malformed Content-Length", failure);
  if (facts.content_length.size() > 18) return refuse(413, kTooLarge, failure);
  for (const char c : facts.content_length) {
    framing.length = framing.length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (framing.length > limits.max_body_bytes) return refuse(413, kTooLarge, failure);
  if (framing.length > 0) framing.kind = BodyFraming::Kind::kLength;
  return true;
}

bool judgeHead(const HeadFacts& facts, const RequestLimits& limits, Request& request,
               BodyFraming& framing, ParseFailure& failure) {
  if (facts.hosts > 1) return refuse(400, "more than one Host", failure);
  if (facts.hosts == 0 && request.minor_version > 0) return refuse(400, "no Host", failure);
  if (facts.hosts == 1 && !isHost(request.host)) return refuse(400, "malformed Host", failure);
  request.keep_alive = request.minor_version > 0 && !facts.wants_close;
  if (!judgeFraming(facts, limits, request, framing, failure)) return false;
  request.has_body = framing.kind != BodyFraming::Kind::kNone;
  if (!facts.expect.empty() && request.minor_version > 0) {
    if (!text::equalsIgnoreCase(facts.expect, "100-continue")) {
      return refuse(417, "unknown expectation", failure);
    }
    request.expects_continue = request.has_body;
  }
  return true;
}

void clear(Request& request) {
  request.method = {};
  request.path.clear();
  request.query = {};
  request.host = {};
  request.headers.clear();
  request.body = {};
  request.minor_version = 1;
  request.keep_alive = true;
  request.expects_continue = false;
  request.connection_upgrade = false;
  request.has_body = false;
}

/// Cuts the next line off `head`, without its CRLF. REQUIRES: the scanner has seen its end.
std::string_view takeLine(std::string_view& head) {
  const auto end = head.find('\n');
  assert(end != head.npos && end > 0 && head[end - 1] == '\r');
  const auto line = head.substr(0, end - 1);
  head.remove_prefix(end + 1);
  return line;
}

bool parseHeaders(std::string_view head, const RequestLimits& limits, Request& request,
                  BodyFraming& framing, ParseFailure& failure) {
  HeadFacts facts;
  while (true) {
    const std::string_view line = takeLine(head);
    if (line.empty()) break;
    Header header;
    if (!parseFieldLine(line, header)) return refuse(400, "malformed header", failure);
    if (header.value.size() > limits.max_header_value_bytes) {
      return refuse(431, "header value too large", failure);
    }
    request.headers.push_back(header);
    noteHeader(header, facts, request);
  }
  return judgeHead(facts, limits, request, framing, failure);
}

}  // namespace

HeadScanner::State HeadScanner::refuse(int status, const char* reason,
                                       ParseFailure& failure) const {
  failure.status = status;
  failure.reason = reason;
  return State::kRefused;
}

HeadScanner::State HeadScanner::scan(std::string_view text, const RequestLimits& limits,
                                     ParseFailure& failure) {
  while (scanned_ < text.size()) {
    if (lines_ == 0 && scanned_ == line_start_ && text[scanned_] != '\r' &&
        !isTokenCharacter(text[scanned_])) {
      return refuse(400, "malformed request line", failure);
    }
    const auto end = text.find('\n', scanned_);
    const std::size_t line_bytes = (end == text.npos    ? text.size()
                                    : end > line_start_ ? end - 1
                                                        : end) -
                                   line_start_;
    if (lines_ == 0 && line_bytes > limits.max_request_line_bytes + (end == text.npos ? 1 : 0)) {
      return refuse(414, "request line too long", failure);
    }
    if ((end == text.npos ? text.size() : end + 1) > limits.max_head_bytes) {
      return refuse(431, "request head too large", failure);
    }
    scanned_ = text.size();
    if (end == text.npos) return State::kIncomplete;
    if (end == line_start_ || text[end - 1] != '\r') {
      return refuse(400, "line does not end with CR LF", failure);
    }
    scanned_ = line_start_ = end + 1;
    if (line_bytes == 0) {
      if (lines_ > 0) return State::kComplete;
      if (begin_ > 0) return refuse(400, "malformed request line", failure);
      begin_ = line_start_;  // RFC 9112 section 2.2: one empty line before a request is ignored
      continue;
    }
    if (++lines_ > limits.max_headers + 1) return refuse(431, "too many headers", failure);
  }
  return State::kIncomplete;
}

bool parseFieldLine(std::string_view line, Header& header) {
  const auto colon = line.find(':');
  if (colon == line.npos || !isToken(line.substr(0, colon))) return false;
  header.name = line.substr(0, colon);
  header.value = text::trim(line.substr(colon + 1));
  return isAllOfClass(line.substr(colon + 1), kFieldValueClass);
}

bool parseHead(std::string_view head, const RequestLimits& limits, Request& request,
               BodyFraming& framing, ParseFailure& failure) {
  clear(request);
  if (!parseRequestLine(takeLine(head), request, failure)) return false;
  if (parseHeaders(head, limits, request, framing, failure)) return true;
  failure.origin = request.header("Origin").value_or("");
  return false;
}

}  // namespace sub0::net::http
