// SPDX-License-Identifier: Apache-2.0
// JSON texts: the parser of messages (simdjson) and our plain reader accept the same texts and read
// the same values; a value written again is the value. A document with comments and
// trailing commas is no other document.
#include "base/arena.hpp"
#include "json/parser.hpp"
#include "json/placed_document.hpp"
#include "json/text_reader.hpp"
#include "json/writer.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sub0::json {
namespace {

/// Duplicate keys: the parser keeps the last value, the document reports them.
void judgeDocument(std::string_view text, const Value* parsed) {
  const PlacedDocument document{std::string(text)};
  if (parsed != nullptr && document.problems().empty()) {
    FUZZ_CHECK(equals(*parsed, document.root()));
  }
  if (parsed != nullptr) {
    for (const TextProblem& problem : document.problems()) {
      FUZZ_CHECK(problem.message.find("stands here twice") != std::string::npos);
    }
  }
  for (const TextProblem& problem : document.problems()) {
    FUZZ_CHECK(problem.offset <= text.size());
    const Position position = document.positionOf(problem.offset);
    FUZZ_CHECK(position.line >= 1 && position.column >= 1);
    FUZZ_CHECK(position.line + position.column <= text.size() + 2);
  }
}

/// Strict JSON with comments and trailing commas added reads as the same value.
void judgeComments(const Value& value, const fuzz::Input& input) {
  fuzz::Choices choices(input);
  std::string text;
  bool is_inside_text = false;
  const std::string plain = toString(value);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    const bool is_end = c == ']' || c == '}';
    if (!is_inside_text && is_end && plain[i - 1] != '[' && plain[i - 1] != '{') text += ",";
    if (!is_inside_text && (is_end || c == ',' || c == ':') && choices.below(3) == 0) {
      text += choices.below(2) == 0 ? "/*, ] } \" */" : "// , ] \"\n";
    }
    text += c;
    if (c == '\\' && is_inside_text) {
      text += plain[++i];
    } else if (c == '"') {
      is_inside_text = !is_inside_text;
    }
  }
  const PlacedDocument document(text);
  FUZZ_CHECK(document.problems().empty());
  FUZZ_CHECK(equals(document.root(), value));
}

}  // namespace
}  // namespace sub0::json

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0;
  const fuzz::Input input(data, size);
  static json::Parser parser;
  Arena arena;
  const fuzz::Padded padded(input.bytes);
  const auto parsed = parser.parse(padded.view(), arena);
  FUZZ_CHECK(static_cast<bool>(parser.validate(padded.view())) == static_cast<bool>(parsed));

  json::Value read{};
  json::TextReader reader(input.bytes, &arena, json::TextReader::BigIntegers::kRefused);
  const bool is_read = reader.read(read);
  FUZZ_CHECK(is_read == static_cast<bool>(parsed));
  if (!is_read) FUZZ_CHECK(reader.problem().offset <= input.bytes.size());
  if (!is_read) {
    FUZZ_CHECK(reader.problem().offset <= input.bytes.size());
    json::judgeDocument(input.bytes, nullptr);
    return 0;
  }
  FUZZ_CHECK(json::isJson(input.bytes));
  FUZZ_CHECK(json::isWellFormed(*parsed, std::size_t{1} << 30));
  json::judgeDocument(input.bytes, &*parsed);

  const std::string written = json::toString(*parsed);
  FUZZ_CHECK(fuzz::isUtf8(written));
  const auto again = parser.parseCopy(written, arena);
  FUZZ_CHECK(again && json::equals(*again, *parsed));
  fuzz::checkEqual(json::toString(*again), written, "written twice");
  FUZZ_CHECK(json::equals(json::copy(*parsed, arena), *parsed));
  json::judgeComments(*parsed, input);
  return 0;
}
