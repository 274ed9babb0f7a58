// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <memory>
#include <string_view>

#include "json/parser.hpp"

// A text in a block of exactly its size and kPadding, so that the address sanitizer sees any read
// beyond. Tests only.
namespace sub0::json {

class Padded {
 public:
  explicit Padded(std::string_view text)
      : size_(text.size()), block_(new char[text.size() + kPadding]) {
    if (!text.empty()) std::memcpy(block_.get(), text.data(), text.size());
    std::memset(block_.get() + size_, '"', kPadding);
  }
  std::string_view view() const { return {block_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> block_;
};

}  // namespace sub0::json
