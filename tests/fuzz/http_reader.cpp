// SPDX-License-Identifier: Apache-2.0
// What our parser makes of many inputs, for http_differential.py: reads cases from stdin (four
// bytes of length, big endian, then the bytes), writes one line of JSON for each: the requests in
// order, texts in base64, and how it ended.
#include <iostream>

#include "base/text.hpp"
#include "net/http/request_parser.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace sub0;

std::string quoted(std::string_view bytes) { return "\"" + text::base64Encode(bytes) + "\""; }

std::string toJson(const net::http::Request& request) {
  std::string line = "{\"method\":" + quoted(request.method) + ",\"path\":" + quoted(request.path) +
                     ",\"query\":" + quoted(request.query) +
                     ",\"body\":" + quoted({request.body.data(), request.body.size()}) +
                     ",\"closes\":" + (request.keep_alive ? "false" : "true") + ",\"headers\":[";
  for (const auto& header : request.headers) {
    if (line.back() != '[') line += ",";
    line += quoted(header.name) + "," + quoted(header.value);
  }
  return line + "]}";
}

std::string endOf(net::http::RequestParser::Phase phase) {
  using Phase = net::http::RequestParser::Phase;
  return phase == Phase::kIdle   ? "idle"
         : phase == Phase::kHead ? "unfinished head"
                                 : "unfinished body";
}

void judge(std::string_view bytes) {
  fuzz::Padded padded(bytes);
  std::span<char> input = padded.span();
  net::http::RequestParser parser;
  net::http::Request request;
  net::http::ParseFailure failure;
  std::string requests;
  std::string end;
  while (end.empty()) {
    switch (parser.next(input, {}, request, failure)) {
      case net::http::ParseEvent::kRequest:
        requests += (requests.empty() ? "" : ",") + toJson(request);
        if (!request.keep_alive) end = "closed";
        break;
      case net::http::ParseEvent::kError:
        end = "refused: " + std::to_string(failure.status) + " " + std::string(failure.reason);
        break;
      case net::http::ParseEvent::kNeedMore:
        end = endOf(parser.phase());
        break;
      case net::http::ParseEvent::kSendContinue:
        break;
    }
  }
  std::cout << "{\"requests\":[" << requests << "],\"end\":\"" << end << "\"}\n";
}

}  // namespace

int main() {
  unsigned char size[4];
  while (std::cin.read(reinterpret_cast<char*>(size), 4)) {
    std::string bytes(
        static_cast<std::size_t>(size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3]), '\0');
    std::cin.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    judge(bytes);
  }
  return 0;
}
