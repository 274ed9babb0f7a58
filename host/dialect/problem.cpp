// SPDX-License-Identifier: Apache-2.0
#include "dialect/problem.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "json/writer.hpp"

namespace sub0::dialect {

namespace {

auto orderOf(const Problem& problem) {
  return std::tie(problem.place.file, problem.place.position.line, problem.place.position.column,
                  problem.place.pointer, problem.severity, problem.rule, problem.message);
}

std::string_view severityName(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

}  // namespace

void Problems::add(Problem problem) {
  if (problem.severity == Severity::kError) ++error_count_;
  problems_.push_back(std::move(problem));
}

void Problems::error(Place place, std::string_view rule, std::string message,
                     std::string suggestion) {
  add({Severity::kError, std::move(place), std::move(message), std::move(suggestion),
       std::string(rule)});
}

void Problems::warning(Place place, std::string_view rule, std::string message,
                       std::string suggestion) {
  add({Severity::kWarning, std::move(place), std::move(message), std::move(suggestion),
       std::string(rule)});
}

void Problems::strictWarning(bool strict, Place place, std::string_view rule, std::string message,
                             std::string suggestion) {
  add({strict ? Severity::kError : Severity::kWarning, std::move(place), std::move(message),
       std::move(suggestion), std::string(rule)});
}

bool Problems::hasErrorAt(const Place& place, std::size_t count) const {
  const auto end = problems_.begin() + static_cast<std::ptrdiff_t>(count);
  return std::any_of(problems_.begin(), end, [&](const Problem& one) {
    return one.severity == Severity::kError && one.place.pointer == place.pointer &&
           one.place.file == place.file;
  });
}

void Problems::sort() {
  std::stable_sort(problems_.begin(), problems_.end(),
                   [](const Problem& a, const Problem& b) { return orderOf(a) < orderOf(b); });
  const auto repeated =
      std::unique(problems_.begin(), problems_.end(),
                  [](const Problem& a, const Problem& b) { return orderOf(a) == orderOf(b); });
  problems_.erase(repeated, problems_.end());
  error_count_ = static_cast<std::size_t>(
      std::count_if(problems_.begin(), problems_.end(),
                    [](const Problem& p) { return p.severity == Severity::kError; }));
}

std::string toLine(const Problem& problem) {
  const Place& place = problem.place;
  std::string line;
  if (!place.file.empty()) {
    line += text::escapeControl(place.file) + ":";
    if (place.position.line > 0) {
      line +=
          std::to_string(place.position.line) + ":" + std::to_string(place.position.column) + ":";
    }
    line += ' ';
  }
  line += std::string(severityName(problem.severity)) + ": " + text::escapeControl(problem.message);
  if (!problem.suggestion.empty()) {
    line += "; did you mean \"" + text::escapeControl(problem.suggestion) + "\"?";
  }
  if (!place.pointer.empty()) line += " [" + text::escapeControl(place.pointer) + "]";
  if (!problem.rule.empty()) line += " (" + problem.rule + ")";
  return line;
}

std::string Problems::toText() const {
  std::string out;
  for (const Problem& problem : problems_) out += toLine(problem) + "\n";
  return out;
}

std::string Problems::toJson() const {
  std::string out = "[";
  const auto member = [&out](std::string_view name, std::string_view value) {
    text::appendJsonString(out, name);
    out += ':';
    text::appendJsonString(out, value);
  };
  for (const Problem& problem : problems_) {
    if (out.size() > 1) out += ',';
    out += '{';
    member("severity", severityName(problem.severity));
    out += ',';
    member("file", problem.place.file);
    const json::Position& position = problem.place.position;
    const bool is_known = position.line > 0;
    out += ",\"line\":" + (is_known ? std::to_string(position.line) : "null");
    out += ",\"column\":" + (is_known ? std::to_string(position.column) : "null");
    out += ',';
    member("pointer", problem.place.pointer);
    out += ',';
    member("rule", problem.rule);
    out += ',';
    member("message", problem.message);
    out += ',';
    member("suggestion", problem.suggestion);
    out += '}';
  }
  return out + "]";
}

}  // namespace sub0::dialect
