// SPDX-License-Identifier: Apache-2.0
#include "dialect/suggest.hpp"

#include "base/text.hpp"

namespace sub0::dialect {

namespace {

constexpr std::size_t kLeastPartBytes = 3;  // shorter parts are in too many names

std::string fold(std::string_view word) {
  std::string folded;
  for (const char c : text::toLower(word)) {
    if (c != '_' && c != '-' && c != ' ' && c != '.') folded += c;
  }
  return folded;
}

bool begins(std::string_view whole, std::string_view part) {
  return part.size() >= kLeastPartBytes && whole.substr(0, part.size()) == part;
}

bool ends(std::string_view whole, std::string_view part) {
  return part.size() >= kLeastPartBytes && part.size() <= whole.size() &&
         whole.substr(whole.size() - part.size()) == part;
}

// The index of the only name of which `part` is the beginning (the end), or that is its beginning
// (its end); the number of names if there is none or several.
std::size_t onlyPart(std::string_view part, const std::vector<std::string_view>& names,
                     bool (*fits)(std::string_view whole, std::string_view part)) {
  std::size_t found = names.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!fits(names[i], part) && !fits(part, names[i])) continue;
    if (found != names.size()) return names.size();
    found = i;
  }
  return found;
}

}  // namespace

std::string suggest(std::string_view word, const std::vector<std::string_view>& candidates) {
  const std::string wanted = fold(word);
  if (wanted.empty()) return {};
  std::vector<std::string> folded;
  for (const auto candidate : candidates) folded.push_back(fold(candidate));
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (folded[i] == wanted) return std::string(candidates[i]);
  }
  const std::vector<std::string_view> names(folded.begin(), folded.end());
  const std::string_view near = text::nearest(wanted, names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!near.empty() && names[i].data() == near.data()) return std::string(candidates[i]);
  }
  std::string_view part = wanted;
  if (part.size() > kLeastPartBytes && part.back() == 's') part.remove_suffix(1);
  std::size_t only = onlyPart(part, names, begins);
  if (only == names.size()) only = onlyPart(part, names, ends);
  return only == names.size() ? std::string() : std::string(candidates[only]);
}

std::string listOf(const std::vector<std::string_view>& names) {
  std::string list;
  for (const auto name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

std::string inQuotes(std::string_view name) { return "\"" + std::string(name) + "\""; }

}  // namespace sub0::dialect
