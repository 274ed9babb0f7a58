// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace sub0::query {

// Numbers for the texts of statements: the same text, the same number, for as long as the plugin
// lives. So a reload of the same resources finds what the connections have prepared already.
// THREAD: [control].
class StatementIndex {
 public:
  std::uint32_t of(const std::string& sql) {
    return numbers_.emplace(sql, static_cast<std::uint32_t>(numbers_.size())).first->second;
  }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

}  // namespace sub0::query
