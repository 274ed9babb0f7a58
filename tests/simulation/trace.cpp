// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/trace.hpp"

#include <cstdio>

namespace sub0::simulation {

void Trace::mix(std::string_view text) {
  for (const char c : text) mix(static_cast<unsigned char>(c));
  mix(text.size());
}

void Trace::note(std::int64_t now_ns, std::string_view actor, std::uint64_t number,
                 std::string_view what, std::uint64_t amount, std::string_view text) {
  mix(static_cast<std::uint64_t>(now_ns));
  mix(actor);
  mix(number);
  mix(what);
  mix(amount);
  mix(text);
  if (!keeps_lines_) return;
  constexpr std::size_t kShownBytes = 160;
  char head[64];
  std::snprintf(head, sizeof head, "%10.3f ms  ", static_cast<double>(now_ns) / 1e6);
  std::string line = head;
  line.append(actor).append(" ").append(std::to_string(number)).append(" ").append(what);
  if (amount != 0) line.append(" ").append(std::to_string(amount));
  if (!text.empty()) {
    line.append("  ");
    for (const char c : text.substr(0, kShownBytes)) line.push_back(c >= ' ' && c < 127 ? c : '.');
    if (text.size() > kShownBytes) line.append("…");
  }
  lines_.push_back(std::move(line));
}

}  // namespace sub0::simulation
