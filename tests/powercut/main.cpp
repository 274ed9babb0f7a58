// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "tests/powercut/seeds.hpp"

namespace {

// The number behind `name`, if that is what the argument begins with.
bool readNumber(std::string_view argument, std::string_view name, std::uint64_t& number) {
  if (argument.substr(0, name.size()) != name) {
    return false;
  }
  number = std::strtoull(std::string(argument.substr(name.size())).c_str(), nullptr, 10);
  return true;
}

}  // namespace

int main(int argument_count, char** arguments) {
  ::testing::InitGoogleTest(&argument_count, arguments);
  sub0::powercut::Seeds& seeds = sub0::powercut::seedsAsked();
  seeds.program = arguments[0];
  for (int i = 1; i < argument_count; ++i) {
    if (readNumber(arguments[i], "--seed=", seeds.first)) {
      seeds.count = 1;
    } else if (!readNumber(arguments[i], "--from=", seeds.first) &&
               !readNumber(arguments[i], "--seeds=", seeds.count) &&
               !readNumber(arguments[i], "--times=", seeds.times)) {
      std::cerr
          << "power_cut [--seed=S | --from=S --seeds=N] [--times=T] and GoogleTest's options\n";
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
