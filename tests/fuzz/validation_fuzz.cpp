// SPDX-License-Identifier: Apache-2.0
// Validation: rules up to a line `===`, then a payload. Rules that the checker calls good say the
// same of a payload each time, at most as many messages as they may; no message holds what the
// client sent; what passes has every field that must be there; and a payload without fields fails
// exactly where one must be.
#include <algorithm>

#include "dialect/project.hpp"
#include "json/parser.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

using Failures = std::vector<std::string>;

/// All texts of a payload that could be told again, keys included.
void collectTexts(const json::Value& value, std::vector<std::string>& texts) {
  if (json::isText(value)) texts.emplace_back(json::chars(value));
  for (std::uint32_t i = 0; json::isArray(value) && i < value.count; ++i) {
    collectTexts(value.as.items[i], texts);
  }
  for (std::uint32_t i = 0; json::isObject(value) && i < value.count; ++i) {
    collectTexts(value.as.members[i].value, texts);
  }
}

bool isThere(const json::Value& payload, const FieldRule& rule) {
  const json::Value* value = json::find(payload, rule.name);
  return value != nullptr && !json::isNull(*value);
}

/// Longer than any word of ours, and in no rule.
bool isTold(const Failures& failures, const std::string& text, std::string_view rules) {
  constexpr std::size_t kLong = 24;
  if (text.size() < kLong || rules.find(text) != std::string_view::npos) return false;
  return std::any_of(failures.begin(), failures.end(), [&](const std::string& failure) {
    return failure.find(text) != std::string::npos;
  });
}

void judge(const Validation& validation, std::string_view rules, const json::Value& payload) {
  std::vector<std::string_view> names;
  for (const FieldRule& rule : validation.fields()) names.emplace_back(rule.name);
  std::vector<std::string> texts;
  collectTexts(payload, texts);
  for (const auto& from_texts :
       {std::span<const std::string_view>(), std::span<const std::string_view>(names)}) {
    Failures failures;
    Failures again;
    const bool passes = validation.validate(payload, from_texts, failures);
    FUZZ_CHECK(validation.validate(payload, from_texts, again) == passes && again == failures);
    FUZZ_CHECK(passes == failures.empty() && failures.size() <= kMaxFailures + 1);
    for (const std::string& text : texts) FUZZ_CHECK(!isTold(failures, text, rules));
    if (!passes) continue;
    for (const FieldRule& rule : validation.fields()) {
      FUZZ_CHECK(rule.is_optional || isThere(payload, rule));
    }
  }
}

void judgeNothing(const Validation& validation) {
  const auto& fields = validation.fields();
  const bool all_optional = std::all_of(fields.begin(), fields.end(),
                                        [](const FieldRule& rule) { return rule.is_optional; });
  Failures failures;
  FUZZ_CHECK(validation.validate(json::object(nullptr, 0), {}, failures) == all_optional);
}

void run(std::string_view rules, std::string_view payload) {
  Problems problems;
  MemoryFiles files({{"p/resources/a.json",
                      R"({"id":"r","resource":"r","actionables":[{"id":1,"mode":"VALUE","value":1,)"
                      R"("payload_validation":)" +
                          std::string(rules) + "}]}"}});
  const auto project = Project::load(files, "p", usualOptions(), problems);
  if (problems.hasErrors() || project->resources().size() != 1) return;
  const Resource& resource = project->resources().front();
  if (resource.actionables.size() != 1) return;
  const Validation& validation = resource.actionables.front().validation;
  judgeNothing(validation);
  Arena arena;
  json::Parser parser;
  const auto value = parser.parseCopy(payload, arena);
  if (value) judge(validation, rules, *value);
}

}  // namespace
}  // namespace sub0::dialect

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sub0::fuzz::Input input(data, size);
  const std::size_t end = input.bytes.find("\n===\n");
  if (end == std::string_view::npos) return 0;
  sub0::dialect::run(input.bytes.substr(0, end), input.bytes.substr(end + 5));
  return 0;
}
