// SPDX-License-Identifier: Apache-2.0
#include "net/http/chunked_body.hpp"

#include <algorithm>
#include <string_view>

#include "net/http/character_classes.hpp"
#include "net/http/request_head.hpp"

namespace sub0::net::http {
namespace {

ChunkedBody::State refuseChunk(int status, const char* reason, ParseFailure& failure) {
  failure.status = status;
  failure.reason = reason;
  return ChunkedBody::State::kRefused;
}

/// Moves the input up to and with a LF to `line`; false: the LF is not there yet.
bool takeLine(std::span<char>& input, std::size_t max_bytes, std::string& line) {
  const std::size_t room = max_bytes - std::min(max_bytes, line.size());
  const auto window = input.first(std::min(input.size(), room));
  const auto end = std::find(window.begin(), window.end(), '\n');
  const bool found = end != window.end();
  const auto taken = static_cast<std::size_t>(end - window.begin()) + (found ? 1 : 0);
  line.append(window.data(), taken);
  input = input.subspan(taken);
  return found;
}

/// Drops the CRLF; false: there is only a LF.
bool dropLineEnd(std::string& line) {
  if (line.size() < 2 || line[line.size() - 2] != '\r') return false;
  line.resize(line.size() - 2);
  return true;
}

void dropBlanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

/// Cuts a token off; false: there is none.
bool dropToken(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && isTokenCharacter(text[size])) ++size;
  text.remove_prefix(size);
  return size > 0;
}

/// Cuts a quoted string off (RFC 9110 section 5.6.4). REQUIRES: it begins with a quote, and all
/// characters are those of field values.
bool dropQuoted(std::string_view& text) {
  for (std::size_t index = 1; index < text.size(); ++index) {
    if (text[index] == '\\') {
      ++index;
    } else if (text[index] == '"') {
      text.remove_prefix(index + 1);
      return true;
    }
  }
  return false;
}

/// Whether `text` is chunk extensions (RFC 9112 section 7.1.1): `;name`, `;name=value`, blanks
/// around the signs.
bool isExtensions(std::string_view text) {
  const bool is_clean =
      std::all_of(text.begin(), text.end(), [](char c) { return isOfClass(c, kFieldValueClass); });
  if (!is_clean) return false;
  while (!text.empty()) {
    dropBlanks(text);
    if (text.empty() || text.front() != ';') return false;
    text.remove_prefix(1);
    dropBlanks(text);
    if (!dropToken(text)) return false;
    std::string_view value = text;
    dropBlanks(value);
    if (value.empty() || value.front() != '=') continue;
    value.remove_prefix(1);
    dropBlanks(value);
    const bool is_quoted = !value.empty() && value.front() == '"';
    if (!(is_quoted ? dropQuoted(value) : dropToken(value))) return false;
    text = value;
  }
  return true;
}

}  // namespace

ChunkedBody::State ChunkedBody::takeSizeLine(const RequestLimits& limits, ParseFailure& failure) {
  if (!dropLineEnd(line_)) return refuseChunk(400, "malformed chunk", failure);
  std::size_t digits = 0;
  std::uint64_t size = 0;
  for (; digits < line_.size() && hexDigit(line_[digits]) >= 0; ++digits) {
    if (digits == 16) return refuseChunk(400, "malformed chunk size", failure);
    size = size << 4 | static_cast<std::uint64_t>(hexDigit(line_[digits]));
  }
  if (digits == 0) return refuseChunk(400, "malformed chunk size", failure);
  if (digits < line_.size()) {
    if (!isExtensions(std::string_view(line_).substr(digits))) {
      return refuseChunk(400, "malformed chunk", failure);
    }
    overhead_bytes_ += line_.size() - digits;
    if (overhead_bytes_ > limits.max_head_bytes) {
      return refuseChunk(400, "chunk extensions too large", failure);
    }
  }
  if (size > limits.max_body_bytes - body_bytes_) return refuseChunk(413, kTooLarge, failure);
  body_bytes_ += size;
  chunk_left_ = size;
  step_ = size == 0 ? Step::kTrailer : Step::kData;
  line_.clear();
  return State::kNeedMore;
}

ChunkedBody::State ChunkedBody::takeTrailer(const RequestLimits& limits, ParseFailure& failure) {
  overhead_bytes_ += line_.size();
  if (!dropLineEnd(line_)) return refuseChunk(400, "malformed trailer", failure);
  if (line_.empty()) return State::kComplete;
  Header ignored;
  if (!parseFieldLine(line_, ignored)) return refuseChunk(400, "malformed trailer", failure);
  if (++trailers_ > limits.max_headers || overhead_bytes_ > limits.max_head_bytes) {
    return refuseChunk(431, "trailers too large", failure);
  }
  line_.clear();
  return State::kNeedMore;
}

ChunkedBody::State ChunkedBody::next(std::span<char>& input, const RequestLimits& limits,
                                     std::span<char>& data, ParseFailure& failure) {
  while (!input.empty()) {
    State state = State::kNeedMore;
    switch (step_) {
      case Step::kSizeLine:
        if (takeLine(input, limits.max_chunk_line_bytes, line_)) {
          state = takeSizeLine(limits, failure);
        } else if (line_.size() >= limits.max_chunk_line_bytes) {
          return refuseChunk(400, "chunk size line too long", failure);
        } else if (hexDigit(line_.front()) < 0) {
          return refuseChunk(400, "malformed chunk size", failure);
        }
        break;
      case Step::kData:
        data = input.first(
            static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), chunk_left_)));
        input = input.subspan(data.size());
        chunk_left_ -= data.size();
        if (chunk_left_ == 0) step_ = Step::kDataEnd;
        return State::kData;
      case Step::kDataEnd:
        line_.push_back(input.front());
        input = input.subspan(1);
        if (line_ == "\r\n") {
          step_ = Step::kSizeLine;
          line_.clear();
        } else if (line_ != "\r") {
          return refuseChunk(400, "malformed chunk", failure);
        }
        break;
      case Step::kTrailer:
        if (takeLine(input, limits.max_header_value_bytes, line_)) {
          state = takeTrailer(limits, failure);
        } else if (line_.size() >= limits.max_header_value_bytes) {
          return refuseChunk(431, "trailers too large", failure);
        }
        break;
    }
    if (state != State::kNeedMore) return state;
  }
  return State::kNeedMore;
}

}  // namespace sub0::net::http
