// SPDX-License-Identifier: Apache-2.0
#include "json/parser.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "json/text_reader.hpp"
#include "json/unique_keys.hpp"

namespace sub0::json {

static_assert(kPadding >= simdjson::SIMDJSON_PADDING);

struct Parser::Simdjson {
  simdjson::dom::parser parser;
};

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t kFirstCapacity = std::size_t{16} * 1024;
constexpr std::uint64_t kTapePayload = (std::uint64_t{1} << 56) - 1;
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

/// What values are made in, and what was met on the way.
struct Making {
  Arena& arena;
  bool met_equal_keys = false;
};

Value toValue(element source, Making& making);

template <typename Container>
std::size_t countOf(Container container) {
  const std::size_t count = container.size();
  if (count < kSaturatedCount) return count;
  return static_cast<std::size_t>(std::distance(container.begin(), container.end()));
}

Value toArray(simdjson::dom::array source, Making& making) {
  const std::size_t count = countOf(source);
  Value* items = making.arena.array<Value>(count);
  std::size_t index = 0;
  for (const element item : source) items[index++] = toValue(item, making);
  return array(items, count);
}

Value toObject(simdjson::dom::object source, Making& making) {
  const std::size_t count = countOf(source);
  Member* members = making.arena.array<Member>(count);
  std::size_t index = 0;
  for (const auto field : source) {
    members[index].key = toView(making.arena.copy(field.key));
    members[index].value = toValue(field.value, making);
    ++index;
  }
  const std::size_t kept = keepLastOfEqualKeys(members, count);
  making.met_equal_keys = making.met_equal_keys || kept < count;
  return object(members, kept);
}

/// REQUIRES: `source` is of a parsed document, so no accessor below can fail.
Value toValue(element source, Making& making) {
  switch (source.type()) {
    case element_type::ARRAY:
      return toArray(source.get_array().value_unsafe(), making);
    case element_type::OBJECT:
      return toObject(source.get_object().value_unsafe(), making);
    case element_type::STRING:
      return text(making.arena.copy(source.get_string().value_unsafe()));
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
      return number(making.arena.copy({buffer, static_cast<std::size_t>(end - buffer)}));
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
        tape_(parser.doc.tape.get()),
        texts_(parser.doc.string_buf.get()) {}

  bool isObject() const { return text_[positions_[0]] == '{'; }

  struct MemberSpan {
    std::string_view key;   // decoded, in the parser
    std::string_view json;  // the value as sent
    std::uint64_t tape_word = 0;
  };

  bool next(MemberSpan& member) {
    if (charAt(index_) == ',') ++index_;
    if (charAt(index_) == '}') return false;
    member.key = decodedText(tape_[tape_index_]);
    member.tape_word = tape_[++tape_index_];
    index_ += 2;  // the key and its colon
    const std::size_t start = positions_[index_];
    skipValue(member.tape_word);
    member.json = span(start, positions_[index_]);
    return true;
  }

  /// The characters of the text that `tape_word` stands for.
  std::string_view decodedText(std::uint64_t tape_word) const {
    const std::uint8_t* const stored = texts_ + (tape_word & kTapePayload);
    std::uint32_t size;
    std::memcpy(&size, stored, sizeof size);
    return {reinterpret_cast<const char*>(stored) + sizeof size, size};
  }

 private:
  char charAt(std::size_t index) const { return text_[positions_[index]]; }

  /// From `start` to `end`, without the white space before `end`.
  std::string_view span(std::size_t start, std::size_t end) const {
    while (static_cast<unsigned char>(text_[end - 1]) <= ' ') --end;
    return text_.substr(start, end - start);
  }

  /// Moves both indexes behind the value that `tape_word` begins.
  void skipValue(std::uint64_t tape_word) {
    const auto type = static_cast<char>(tape_word >> 56);
    if (type == '{' || type == '[') {
      tape_index_ = tape_word & 0xFFFFFFFFu;
      skipContainer();
      return;
    }
    tape_index_ += type == 'l' || type == 'u' || type == 'd' ? 2 : 1;
    ++index_;
  }

  void skipContainer() {
    // Where the object ends behind the container, nothing has to be looked into.
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
  const std::uint8_t* texts_;
  std::size_t index_ = 1;       // in positions_: behind {
  std::size_t tape_index_ = 2;  // the key
};

}  // namespace

Parser::Parser() : simdjson_(std::make_unique<Simdjson>()) {}
Parser::~Parser() = default;

Result<Value> Parser::parse(std::string_view padded_text, Arena& arena) {
  return parse(padded_text, arena, false);
}

Result<Value> Parser::parseCopy(std::string_view text, Arena& arena) {
  return parse(text, arena, true);
}

Result<Value> Parser::parse(std::string_view text, Arena& arena, bool copies) {
  met_equal_keys_ = false;
  if (const auto code = parseDom(simdjson_->parser, text, copies)) return explain(text, code);
  Making making{arena};
  const Value value = toValue(simdjson_->parser.doc.root(), making);
  met_equal_keys_ = making.met_equal_keys;
  return value;
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
  MemberWalker::MemberSpan member;
  while (members.next(member)) {
    const EnvelopeMember known = envelopeMember(member.key);
    if (known == EnvelopeMember::kOther) continue;
    const unsigned bit = 1u << static_cast<unsigned>(known);
    if ((seen & bit) != 0) {
      return makeError(Code::kBadRequest,
                       "resource, action, id and payload may stand in a message only once");
    }
    seen |= bit;
    const char first = member.json.front();
    if (known == EnvelopeMember::kPayload) {
      envelope.payload_json = member.json;
    } else if (known == EnvelopeMember::kAction) {
      if (first != '"') return makeError(Code::kBadRequest, "action must be a text");
      envelope.action_json = member.json;
    } else if (known == EnvelopeMember::kId) {
      if (first != '"' && first != '-' && (first < '0' || first > '9')) {
        return makeError(Code::kBadRequest, "id must be a text or a number");
      }
      envelope.id_json = member.json;
    } else if (first == '"') {
      envelope.has_resource = true;
      envelope.resource = members.decodedText(member.tape_word);
    } else {
      envelope.has_odd_resource = member.json != "null";
    }
  }
  return envelope;
}

}  // namespace sub0::json
