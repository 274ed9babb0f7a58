// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace sub0::powercut {

// What the command line asks for: --from=S --seeds=N, or --seed=S alone, and each --times=T.
struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t count = 1000;
  std::uint64_t times = 1;
  std::string program;  // as it was called
};
Seeds& seedsAsked();

}  // namespace sub0::powercut
