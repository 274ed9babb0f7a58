// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/strict_readers.hpp"

#include <algorithm>
#include <cctype>

#include "tests/simulation/strict_json.hpp"

namespace sub0::simulation {
namespace {

bool isNumber(std::string_view text) {
  return !text.empty() && text.size() < 10 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool readHead(std::string_view head, Response& response, std::string& problem) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  const std::string_view status_line = head.substr(0, head.find("\r\n"));
  if (status_line.substr(0, kVersion.size()) != kVersion || status_line.size() < 13 ||
      !isNumber(status_line.substr(9, 3)) || status_line[12] != ' ') {
    problem = "bad status line: " + std::string(status_line);
    return false;
  }
  response.status = std::stoi(std::string(status_line.substr(9, 3)));
  head.remove_prefix(status_line.size() + 2);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    const auto colon = line.find(": ");
    if (colon == line.npos || colon == 0 || line.find_first_of("\r\n") != line.npos) {
      problem = "bad header line: " + std::string(line);
      return false;
    }
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    // A list may come in several lines (RFC 9110 5.3), anything else in one.
    const auto known = std::find_if(response.headers.begin(), response.headers.end(),
                                    [&](const auto& header) { return header.first == name; });
    if (known == response.headers.end()) {
      response.headers.emplace_back(std::move(name), line.substr(colon + 2));
    } else if (name == "vary" || name == "connection") {
      known->second.append(", ").append(line.substr(colon + 2));
    } else {
      problem = "header twice: " + name;
      return false;
    }
  }
  return true;
}

}  // namespace

const std::string* Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return &value;
  }
  return nullptr;
}

Read readResponse(std::string& input, bool has_body, Response& response, std::string& problem) {
  response = Response();
  const auto end = input.find("\r\n\r\n");
  if (end == input.npos) return Read::kMore;
  if (!readHead(std::string_view(input).substr(0, end + 2), response, problem)) return Read::kBad;
  std::size_t body_bytes = 0;
  const std::string* length = response.header("content-length");
  const bool is_bodiless = response.status == 101 || response.status == 100 ||
                           response.status == 204 || response.status == 304;
  if (is_bodiless) {
    if (length != nullptr) {
      problem = "a response without a body has a Content-Length";
      return Read::kBad;
    }
  } else {
    if (length == nullptr || !isNumber(*length)) {
      problem = "no Content-Length";
      return Read::kBad;
    }
    if (response.status >= 200 && response.header("date") == nullptr) {
      problem = "no Date";
      return Read::kBad;
    }
    if (has_body) body_bytes = std::stoul(*length);
  }
  const std::string* connection = response.header("connection");
  response.closes = connection != nullptr && connection->find("close") != connection->npos;
  if (input.size() - end - 4 < body_bytes) return Read::kMore;
  response.body = input.substr(end + 4, body_bytes);
  input.erase(0, end + 4 + body_bytes);
  return Read::kOne;
}

Read FrameReader::next(std::string& input, ServerFrame& frame, std::string& problem) {
  if (input.empty()) return Read::kMore;
  if (is_closed_) return fail(problem, "bytes behind the close frame");
  if (input.size() < 2) return Read::kMore;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(input[i]); };
  if ((byte(0) & 0x70) != 0) return fail(problem, "a reserved bit is set");
  if ((byte(0) & 0x80) == 0) return fail(problem, "a fragment: the server sends whole messages");
  if ((byte(1) & 0x80) != 0) return fail(problem, "a masked frame from a server");
  const std::uint8_t opcode = byte(0) & 0x0F;
  std::uint64_t size = byte(1);
  std::size_t header = 2;
  if (opcode >= 8 && size > 125) return fail(problem, "a control frame over 125 bytes");
  if (size >= 126) {
    header = size == 126 ? 4 : 10;
    if (input.size() < header) return Read::kMore;
    const std::uint64_t least = size == 126 ? 126 : 65'536;
    size = 0;
    for (std::size_t i = 2; i < header; ++i) size = size << 8 | byte(i);
    if (size < least) return fail(problem, "a length that is not in its shortest form");
    if (size > (std::uint64_t{1} << 30)) return fail(problem, "a huge frame");
  }
  if (input.size() - header < size) return Read::kMore;
  frame.payload = input.substr(header, size);
  frame.close_code = 0;
  input.erase(0, header + size);
  switch (opcode) {
    case 1:
      frame.kind = ServerFrame::Kind::kText;
      if (!isStrictUtf8(frame.payload)) return fail(problem, "a text that is not UTF-8");
      return Read::kOne;
    case 8: {
      frame.kind = ServerFrame::Kind::kClose;
      is_closed_ = true;
      if (frame.payload.empty()) return Read::kOne;
      if (frame.payload.size() < 2) return fail(problem, "a close frame of one byte");
      frame.close_code =
          static_cast<std::uint16_t>(static_cast<std::uint8_t>(frame.payload[0]) << 8 |
                                     static_cast<std::uint8_t>(frame.payload[1]));
      frame.payload.erase(0, 2);
      const bool is_known =
          (frame.close_code >= 1000 && frame.close_code <= 1014 && frame.close_code != 1004 &&
           frame.close_code != 1005 && frame.close_code != 1006) ||
          (frame.close_code >= 3000 && frame.close_code <= 4999);
      if (!is_known) return fail(problem, "a close code that must not be sent");
      if (!isStrictUtf8(frame.payload)) return fail(problem, "a close reason that is not UTF-8");
      return Read::kOne;
    }
    case 9:
      frame.kind = ServerFrame::Kind::kPing;
      return Read::kOne;
    case 10:
      frame.kind = ServerFrame::Kind::kPong;
      return Read::kOne;
    default:
      return fail(problem, "an opcode that this server never sends");
  }
}

std::string clientFrame(std::uint8_t first, std::string_view payload, std::uint32_t mask) {
  std::string frame(1, static_cast<char>(first));
  const auto put = [&frame](std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i)
      frame.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  };
  if (payload.size() < 126) {
    put(0x80 | payload.size(), 1);
  } else if (payload.size() < 65'536) {
    put(0x80 | 126, 1);
    put(payload.size(), 2);
  } else {
    put(0x80 | 127, 1);
    put(payload.size(), 8);
  }
  put(mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    const auto key = static_cast<unsigned char>(mask >> (8 * (3 - i % 4)) & 0xFF);
    frame.push_back(static_cast<char>(static_cast<unsigned char>(payload[i]) ^ key));
  }
  return frame;
}

}  // namespace sub0::simulation
