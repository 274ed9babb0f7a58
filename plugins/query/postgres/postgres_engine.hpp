// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "engine.hpp"
namespace sub0::query {
class PostgresEngine {
 public:
  static std::unique_ptr<Engine> make(const HostPort&, const std::string&, std::size_t,
                                      std::string& e) {
    e = "no";
    return nullptr;
  }
};
}  // namespace sub0::query
