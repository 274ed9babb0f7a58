// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sub0::simulation {

/// What happened in a run, in order: always as one hash, so that two runs can be compared, and as
/// lines for people where that is wanted.
class Trace {
 public:
  explicit Trace(bool keeps_lines) : keeps_lines_(keeps_lines) {}

  /// "client 3", "sends", numbers and a text, such as the message.
  void note(std::int64_t now_ns, std::string_view actor, std::uint64_t number,
            std::string_view what, std::uint64_t amount = 0, std::string_view text = {});

  std::uint64_t hash() const { return hash_; }
  bool keepsLines() const { return keeps_lines_; }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3ULL; }
  void mix(std::string_view text);

  const bool keeps_lines_;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;  // FNV-1a
  std::vector<std::string> lines_;
};

}  // namespace sub0::simulation
