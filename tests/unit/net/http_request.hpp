// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "net/http/request_parser.hpp"

namespace sub0::net::http::test {

/// A request parsed from text, together with the bytes that its views point to.
class ParsedRequest {
 public:
  explicit ParsedRequest(std::string_view bytes) : bytes_(bytes) {
    bytes_.append(64, ' ');
    std::span<char> input(bytes_.data(), bytes.size());
    RequestParser parser;
    ParseFailure failure;
    is_good_ = parser.next(input, {}, request_, failure) == ParseEvent::kRequest;
    EXPECT_TRUE(is_good_) << failure.reason;
  }
  ParsedRequest(const ParsedRequest&) = delete;
  ParsedRequest& operator=(const ParsedRequest&) = delete;

  const Request& operator*() const { return request_; }

 private:
  std::string bytes_;
  Request request_;
  bool is_good_ = false;
};

}  // namespace sub0::net::http::test
