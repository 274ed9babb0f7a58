// SPDX-License-Identifier: Apache-2.0
// Messages on a socket: the members found as spans, by the parser and by the shortcut for plain
// messages, are those that a third reader finds (S-111, S-118), and a reply that splices them again
// (S-112) is JSON with the same label, id and data, in one frame.
#include <vector>

#include "json/parser.hpp"
#include "json/plain_envelope.hpp"
#include "json/text_reader.hpp"
#include "net/ws/envelope.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sub0 {
namespace {

bool isKnown(std::string_view key) {
  return key == "resource" || key == "action" || key == "id" || key == "payload";
}

/// How many objects and arrays are open at `offset` of a valid text.
std::size_t depthAt(std::string_view text, std::size_t offset) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t at = 0; at < offset; ++at) {
    const char c = text[at];
    if (in_text && c == '\\') {
      ++at;
    } else if (c == '"') {
      in_text = !in_text;
    } else if (!in_text && (c == '{' || c == '[')) {
      ++depth;
    } else if (!in_text && (c == '}' || c == ']')) {
      --depth;
    }
  }
  return depth;
}

/// Whether a message is one, by the plain reader: an object, no known member of its own twice,
/// types right. What is within a member is its own affair.
bool isEnvelope(const json::Value& value, const json::TextReader& reader, std::string_view text) {
  if (!json::isObject(value)) return false;
  for (const auto& duplicate : reader.duplicates()) {
    if (isKnown(duplicate.key) && depthAt(text, duplicate.offset) == 1) return false;
  }
  const json::Value* action = json::find(value, "action");
  const json::Value* id = json::find(value, "id");
  return (action == nullptr || json::isText(*action)) &&
         (id == nullptr || json::isText(*id) || json::isNumber(*id));
}

void judgeSpan(std::string_view span, const json::Value* expected, std::string_view message,
               Arena& arena) {
  FUZZ_CHECK(span.empty() == (expected == nullptr));
  if (span.empty()) return;
  FUZZ_CHECK(span.data() >= message.data() &&
             span.data() + span.size() <= message.data() + message.size());
  json::Value value{};
  json::TextReader reader(span, &arena, json::TextReader::BigIntegers::kRefused);
  FUZZ_CHECK(reader.read(value));
  FUZZ_CHECK(json::equals(value, *expected));
}

void judge(const json::Envelope& envelope, const json::Value& message, std::string_view text,
           Arena& arena) {
  const json::Value* resource = json::find(message, "resource");
  FUZZ_CHECK(envelope.has_resource == (resource != nullptr && json::isText(*resource)));
  if (envelope.has_resource) FUZZ_CHECK(envelope.resource == json::chars(*resource));
  judgeSpan(envelope.action_json, json::find(message, "action"), text, arena);
  judgeSpan(envelope.id_json, json::find(message, "id"), text, arena);
  judgeSpan(envelope.payload_json, json::find(message, "payload"), text, arena);
}

/// Whatever lies behind a message, up to the 64 bytes, is no part of it: the message is cut where
/// the steering byte says, and its rest, over and over, is left behind.
void judgeTail(std::string_view bytes, std::uint8_t steer) {
  const std::size_t size = bytes.size() * steer / 256;
  std::vector<char> exact(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
  for (std::size_t i = 0; i < json::kPadding; ++i) {
    exact.push_back(bytes.empty() ? ' ' : bytes[(size + i) % bytes.size()]);
  }
  const fuzz::Padded padded(bytes.substr(0, size));
  json::Envelope with_rest;
  json::Envelope alone;
  const bool is_plain = json::readPlainEnvelope({exact.data(), size}, with_rest);
  FUZZ_CHECK(is_plain == json::readPlainEnvelope(padded.view(), alone));
  if (!is_plain) return;
  FUZZ_CHECK(with_rest.resource == alone.resource && with_rest.action_json == alone.action_json);
  FUZZ_CHECK(with_rest.id_json == alone.id_json && with_rest.payload_json == alone.payload_json);
}

/// The payload of the one frame in `wire`.
std::string_view payloadOf(std::string_view wire) {
  FUZZ_CHECK(wire.size() >= 2 && static_cast<std::uint8_t>(wire[0]) == 0x81);
  std::uint64_t size = static_cast<std::uint8_t>(wire[1]);
  std::size_t header = 2;
  if (size >= 126) {
    const std::size_t length_bytes = size == 126 ? 2 : 8;
    FUZZ_CHECK(size <= 127 && wire.size() >= 2 + length_bytes);
    size = 0;
    for (; header < 2 + length_bytes; ++header) {
      size = size << 8 | static_cast<std::uint8_t>(wire[header]);
    }
  }
  FUZZ_CHECK(wire.size() - header == size);
  return wire.substr(header);
}

void judgeReply(const json::Envelope& envelope, const json::Value& message, std::uint8_t steer) {
  json::Value data = json::raw(envelope.payload_json.empty() ? "{}" : envelope.payload_json);
  call::Reply reply;
  reply.data = &data;
  reply.action_json = envelope.action_json;
  reply.id_json = envelope.id_json;
  const std::string details[] = {std::string(envelope.resource)};
  if ((steer & 1) != 0) {
    reply.code = Code::kValidationFailed;
    reply.message = envelope.resource;
    reply.details = details;
  }
  std::string wire;
  FUZZ_CHECK(net::ws::appendReplyFrame(wire, "null", reply) == wire.size());
  Arena arena;
  json::Parser parser;
  const std::string_view text = payloadOf(wire);
  FUZZ_CHECK(static_cast<bool>(parser.parseCopy(text, arena)));
  // Of equal keys within a payload the reader keeps the first, in both texts.
  json::Value sent{};
  json::TextReader reader(text, &arena, json::TextReader::BigIntegers::kRefused);
  FUZZ_CHECK(reader.read(sent) && json::isObject(sent));
  for (const char* name : {"action", "id"}) {
    const json::Value* asked = json::find(message, name);
    const json::Value* answered = json::find(sent, name);
    if (asked != nullptr) FUZZ_CHECK(answered != nullptr && json::equals(*answered, *asked));
  }
  const json::Value* payload = json::find(message, "payload");
  const json::Value* answered = json::find(sent, "data");
  FUZZ_CHECK(answered != nullptr);
  if ((steer & 1) != 0) {
    const json::Value* listed = json::find(*json::find(sent, "error"), "details");
    FUZZ_CHECK(listed->count == 1 && json::chars(listed->as.items[0]) == envelope.resource);
  } else if (payload != nullptr) {
    FUZZ_CHECK(json::equals(*answered, *payload));
  }
}

}  // namespace
}  // namespace sub0

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0;
  const fuzz::Input input(data, size);
  const fuzz::Padded padded(input.bytes);
  judgeTail(input.bytes, input.steer);
  static json::Parser parser;
  Arena arena;
  json::Value message{};
  json::TextReader reader(input.bytes, &arena, json::TextReader::BigIntegers::kRefused);
  const bool is_json = reader.read(message);
  const auto envelope = parser.parseEnvelope(padded.view());
  json::Envelope plain;
  const bool is_plain = json::readPlainEnvelope(padded.view(), plain);
  FUZZ_CHECK(!is_plain || (envelope && envelope->has_resource));
  FUZZ_CHECK(static_cast<bool>(envelope) == (is_json && isEnvelope(message, reader, input.bytes)));
  if (!envelope) {
    FUZZ_CHECK(envelope.error().code == Code::kBadRequest && !envelope.error().message.empty());
    return 0;
  }
  judge(*envelope, message, padded.view(), arena);
  if (is_plain) judge(plain, message, padded.view(), arena);
  judgeReply(*envelope, message, input.steer);
  return 0;
}
