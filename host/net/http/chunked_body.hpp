// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "net/http/request_parser.hpp"

namespace sub0::net::http {

/// Takes the chunked coding (RFC 9112 section 7.1) apart, however it is cut. Sizes are 1 to 16
/// hexadecimal digits, extensions and trailers are checked and dropped. One thread;
/// the data goes to the owner.
class ChunkedBody {
 public:
  enum class State : std::uint8_t { kNeedMore, kData, kComplete, kRefused };

  /// The next event of `input`, whose used part is cut off; kData: `data` is a part of the input,
  /// not empty. kRefused: `failure` is set.
  State next(std::span<char>& input, const RequestLimits& limits, std::span<char>& data,
             ParseFailure& failure);

 private:
  enum class Step : std::uint8_t { kSizeLine, kData, kDataEnd, kTrailer };

  State takeSizeLine(const RequestLimits& limits, ParseFailure& failure);
  State takeTrailer(const RequestLimits& limits, ParseFailure& failure);

  Step step_ = Step::kSizeLine;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t body_bytes_ = 0;    // data announced by all size lines
  std::size_t overhead_bytes_ = 0;  // extensions and trailers
  std::size_t trailers_ = 0;
  std::string line_;
};

}  // namespace sub0::net::http
