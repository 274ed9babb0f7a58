// SPDX-License-Identifier: Apache-2.0
#include "json/parser.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "json/text_reader.hpp"
#include "json/unique_keys.hpp"

namespace sub0::json {

static_assert(kPadding >= simdjson::SIMDJSON_PADDING);

struct Parser::Simdjson {
  simdjson::dom::parser parser;
  std::string resource;  // decoded, of the last envelope
};

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t kFirstCapacity = 16 * 1024;
constexpr std::size_t kSaturatedCount = 0xFFFFFF;  // simdjson counts no further
// simdjson refuses containers at its limit, we accept kMaxDepth of them.
constexpr std::size_t kSimdjsonDepth = static_cast<std::size_t>(kMaxDepth) + 1;

/// Where and why simdjson refused `text`; the fixed reason repeats no byte of it.
Error explain(std::string_view text, simdjson::error_code code) {
  TextReader reader(text, nullptr, TextReader::BigIntegers::kRefused);
  Value ignored{};
  if (code == simdjson::CAPACITY || code == simdjson::MEMALLOC || reader.read(ignored)) {
    return makeError(Code::kBadRequest,
                     std::string("invalid JSON: ") + simdjson::error_message(code));
  }
  return makeError(Code::kBadRequest, "invalid JSON at byte " +
                                          std::to_string(reader.problem().offset) + ": " +
                                          reader.problem().message);
}

/// Parses `text` as a whole; grows in powers of two so that rising sizes do not allocate each time.
simdjson::error_code parseDom(simdjson::dom::parser& parser, std::string_view text, bool copies) {
  if (text.size() > parser.capacity()) {
    std::size_t capacity = kFirstCapacity;
    while (capacity < text.size()) capacity *= 2;
    if (const auto code = parser.allocate(capacity, kSimdjsonDepth)) return code;
    if (const auto code = parser.doc.allocate(capacity)) return code;
  }
  return parser.parse(text.data(), text.size(), copies).error();
}

Value toValue(element source, Arena& arena);

template <typename Container>
std::size_t countOf(Container container) {
  const std::size_t count = container.size();
  if (count < kSaturatedCount) return count;
  return static_cast<std::size_t>(std::distance(container.begin(), container.end()));
}

Value toArray(simdjson::dom::array source, Arena& arena) {
  const std::size_t count = countOf(source);
  Value* items = arena.array<Value>(count);
  std::size_t index = 0;
  for (const element item : source) items[index++] = toValue(item, arena);
  return array(items, count);
}

Value toObject(simdjson::dom::object source, Arena& arena) {
  const std::size_t count = countOf(source);
  Member* members = arena.array<Member>(count);
  std::size_t index = 0;
  for (const auto field : source) {
    members[index].key = toView(arena.copy(field.key));
    members[index].value = toValue(field.value, arena);
    ++index;
  }
  return object(members, keepLastOfEqualKeys(members, count));
}

/// REQUIRES: `source` is of a parsed document, so no accessor below can fail.
Value toValue(element source, Arena& arena) {
  switch (source.type()) {
    case element_type::ARRAY:
      return toArray(source.get_array().value_unsafe(), arena);
    case element_type::OBJECT:
      return toObject(source.get_object().value_unsafe(), arena);
    case element_type::STRING:
      return text(arena.copy(source.get_string().value_unsafe()));
    case element_type::INT64:
      return integer(source.get_int64().value_unsafe());
    case element_type::DOUBLE:
      return real(source.get_double().value_unsafe());
    case element_type::BOOL:
      return boolean(source.get_bool().value_unsafe());
    case element_type::UINT64: {
      char buffer[24];
      const auto end =
          std::to_chars(buffer, buffer + sizeof buffer, source.get_uint64().value_unsafe()).ptr;
      return number(arena.copy({buffer, static_cast<std::size_t>(end - buffer)}));
    }
    case element_type::NULL_VALUE:
      break;
  }
  return null();
}

/// Walks the members of a validated object by the positions that simdjson found: brackets, commas,
/// colons, and the first byte of each text, number and word. Only nested containers that are not
/// the last member are looked into.
class MemberWalker {
 public:
  MemberWalker(std::string_view text, const simdjson::dom::parser& parser)
      : text_(text),
        positions_(parser.implementation->structural_indexes.get()),
        position_count_(parser.implementation->n_structural_indexes),
        tape_(parser.doc.tape.get()) {}

  bool isObject() const { return text_[positions_[0]] == '{'; }

  /// The next member: its key without quotes, as sent, and its value's span. False: no more.
  bool next(std::string_view& key, std::string_view& value) {
    if (charAt(index_) == ',') ++index_;
    if (charAt(index_) == '}') return false;
    const std::string_view quoted = span(positions_[index_], positions_[index_ + 1]);
    key = quoted.substr(1, quoted.size() - 2);
    index_ += 2;
    const std::size_t start = positions_[index_];
    const std::uint64_t tape_word = tape_[++tape_index_];
    tape_index_ += tapeLength(tape_word);
    if (text_[start] == '{' || text_[start] == '[') {
      skipContainer();
    } else {
      ++index_;
    }
    value = span(start, positions_[index_]);
    return true;
  }

 private:
  char charAt(std::size_t index) const { return text_[positions_[index]]; }

  /// From `start` to `end`, without the white space before `end`.
  std::string_view span(std::size_t start, std::size_t end) const {
    while (static_cast<unsigned char>(text_[end - 1]) <= ' ') --end;
    return text_.substr(start, end - start);
  }

  /// Words of the tape that a value takes.
  std::size_t tapeLength(std::uint64_t word) const {
    switch (word >> 56) {
      case '{':
      case '[':
        return (word & 0xFFFFFFFFu) - tape_index_;
      case 'l':
      case 'u':
      case 'd':
        return 2;
      default:
        return 1;
    }
  }

  void skipContainer() {
    // The word behind the container closes the object: then the position before the last closes it.
    if (tape_[tape_index_] >> 56 == '}') {
      index_ = position_count_ - 1;
      return;
    }
    std::size_t depth = 0;
    do {
      const char c = static_cast<char>(charAt(index_++) | 0x20);  // [ becomes {, ] becomes }
      depth += static_cast<std::size_t>(c == '{') - static_cast<std::size_t>(c == '}');
    } while (depth != 0);
  }

  std::string_view text_;
  const std::uint32_t* positions_;
  std::size_t position_count_;
  const std::uint64_t* tape_;
  std::size_t index_ = 1;       // in positions_: behind {
  std::size_t tape_index_ = 2;  // the key
};

enum class Known { kResource, kAction, kId, kPayload, kOther };

Known knownMember(std::string_view key) {
  switch (key.size()) {
    case 2:
      return key == "id" ? Known::kId : Known::kOther;
    case 6:
      return key == "action" ? Known::kAction : Known::kOther;
    case 7:
      return key == "payload" ? Known::kPayload : Known::kOther;
    case 8:
      return key == "resource" ? Known::kResource : Known::kOther;
    default:
      return Known::kOther;
  }
}

Known decodedMember(std::string_view key) {
  constexpr std::size_t kLongestEscaped = 6 * 8;  // "resource" in \u escapes
  if (key.find('\\') == std::string_view::npos) return knownMember(key);
  if (key.size() > kLongestEscaped) return Known::kOther;
  std::string decoded;
  appendUnescaped(decoded, key);
  return knownMember(decoded);
}

}  // namespace

Parser::Parser() : simdjson_(std::make_unique<Simdjson>()) {}
Parser::~Parser() = default;

Result<Value> Parser::parse(std::string_view padded_text, Arena& arena) {
  if (const auto code = parseDom(simdjson_->parser, padded_text, false)) {
    return explain(padded_text, code);
  }
  return toValue(simdjson_->parser.doc.root(), arena);
}

Result<Value> Parser::parseCopy(std::string_view text, Arena& arena) {
  if (const auto code = parseDom(simdjson_->parser, text, true)) return explain(text, code);
  return toValue(simdjson_->parser.doc.root(), arena);
}

Result<Done> Parser::validate(std::string_view padded_text) {
  if (const auto code = parseDom(simdjson_->parser, padded_text, false)) {
    return explain(padded_text, code);
  }
  return Done{};
}

Result<Envelope> Parser::parseEnvelope(std::string_view padded_text) {
  if (const auto code = parseDom(simdjson_->parser, padded_text, false)) {
    return explain(padded_text, code);
  }
  MemberWalker members(padded_text, simdjson_->parser);
  if (!members.isObject()) {
    return makeError(Code::kBadRequest, "the message must be a JSON object");
  }
  Envelope envelope;
  unsigned seen = 0;
  std::string_view key;
  std::string_view value;
  while (members.next(key, value)) {
    const Known known = decodedMember(key);
    if (known == Known::kOther) continue;
    const unsigned bit = 1u << static_cast<unsigned>(known);
    if ((seen & bit) != 0) {
      return makeError(Code::kBadRequest,
                       "resource, action, id and payload may stand in a message only once");
    }
    seen |= bit;
    const char first = value.front();
    if (known == Known::kPayload) {
      envelope.payload_json = value;
    } else if (known == Known::kAction) {
      if (first != '"') return makeError(Code::kBadRequest, "action must be a text");
      envelope.action_json = value;
    } else if (known == Known::kId) {
      if (first != '"' && first != '-' && (first < '0' || first > '9')) {
        return makeError(Code::kBadRequest, "id must be a text or a number");
      }
      envelope.id_json = value;
    } else if (first == '"') {
      envelope.has_resource = true;
      envelope.resource = value.substr(1, value.size() - 2);
      if (envelope.resource.find('\\') != std::string_view::npos) {
        simdjson_->resource.clear();
        appendUnescaped(simdjson_->resource, envelope.resource);
        envelope.resource = simdjson_->resource;
      }
    }
  }
  return envelope;
}

}  // namespace sub0::json
