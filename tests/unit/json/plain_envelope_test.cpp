// SPDX-License-Identifier: Apache-2.0
#include "json/plain_envelope.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "json/parser.hpp"

namespace sub0::json {
namespace {

const std::vector<std::string> kPlain = {
    R"({"resource":"echo","action":"ping","id":17,"payload":{"text":"hello"}})",
    R"({ "payload" : [ -1 , 0 , 2.50 , true , false , null , "" , {} , [ ] ] , "resource" : "a/b" })",
    R"({"resource":"r","id":"x-1","other":{"a":{"b":[[["deep"]]]}},"payload":"a text that is longer than a word"})",
    R"({"id":-999999999999999999,"resource":"","payload":0.123456789012345})",
};

/// What the parser finds in a message that was called plain, as values.
void expectSame(const std::string& message, const Envelope& envelope) {
  Parser parser;
  Arena arena;
  const auto whole = parser.parseCopy(message, arena);
  ASSERT_TRUE(whole) << message << ": " << whole.error().message;
  ASSERT_TRUE(isObject(*whole)) << message;
  EXPECT_FALSE(find(*whole, "resource") == nullptr) << message;
  EXPECT_EQ(envelope.resource, chars(*find(*whole, "resource"))) << message;
  for (const auto& [name, span] :
       {std::pair<const char*, std::string_view>{"action", envelope.action_json},
        {"id", envelope.id_json},
        {"payload", envelope.payload_json}}) {
    const Value* expected = find(*whole, name);
    ASSERT_EQ(span.empty(), expected == nullptr) << message << name;
    if (expected == nullptr) continue;
    const auto found = parser.parseCopy(span, arena);
    ASSERT_TRUE(found) << message << name;
    EXPECT_TRUE(equals(*found, *expected)) << message << name;
  }
}

/// `message`, with `behind` in the bytes that must be readable behind it.
bool isPlain(const std::string& message, std::string_view behind, Envelope& envelope) {
  std::string padded = message;
  padded.append(behind);
  padded.append(kPadding, ' ');
  return readPlainEnvelope(std::string_view(padded).substr(0, message.size()), envelope) &&
         (expectSame(message, envelope), true);
}

TEST(PlainEnvelope, UsualMessagesAreTakenApart) {  // spec S-111
  Envelope envelope;
  ASSERT_TRUE(isPlain(kPlain[0], {}, envelope));
  EXPECT_TRUE(envelope.has_resource);
  for (std::size_t index = 1; index < kPlain.size(); ++index) {
    Envelope other;
    EXPECT_TRUE(isPlain(kPlain[index], {}, other)) << kPlain[index];
  }
}

TEST(PlainEnvelope, WhatIsNotPlainIsLeftToTheParser) {  // spec S-118
  for (const std::string message :
       {R"({"resource":"a\n"})",
        "{\"resource\":\"\xC3\xA9\"}",
        R"({"resource":"a","resource":"b"})",
        R"({"resource":"a","id":null})",
        R"({"resource":"a","id":1,"id":1})",
        R"({"resource":"a","action":1})",
        R"({"resource":"a","payload":1e5})",
        R"({"resource":"a","payload":1234567890123456789})",
        R"({"resource":"a","payload":01})",
        R"({"resource":"a","payload":1.})",
        R"({"resource":"a","payload":-})",
        R"({"resource":"a","payload":+1})",
        R"({"resource":"a","payload":{"a":1,}})",
        R"({"resource":"a","payload":[1 2]})",
        R"({"resource":"a","payload":{"a" 1}})",
        R"({"resource":"a","payload":{1:1}})",
        R"({"resource":"a","payload":[1})",
        R"({"resource":"a","payload":truth})",
        R"({"resource":"a","payload":nul})",
        R"({"resource":"a",})",
        R"({"resource":"a"}x)",
        R"({"resource":"a"} )",
        R"({})",
        R"({"action":"a"})",
        R"({"resource":1})",
        "[]",
        "{",
        "\"a\"",
        R"({"resource":"a)",
        R"({"resource":"a","payload":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]})"}) {
    Envelope envelope;
    EXPECT_FALSE(isPlain(message, {}, envelope)) << message;
  }
}

TEST(PlainEnvelope, NoChangedByteIsTakenForSomethingElse) {  // Q-61
  for (const std::string& plain : kPlain) {
    for (std::size_t at = 0; at < plain.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string message = plain;
        message[at] = static_cast<char>(byte);
        Envelope envelope;
        isPlain(message, {}, envelope);
      }
    }
  }
}

TEST(PlainEnvelope, WhatLiesBehindAMessageIsNoPartOfIt) {  // Q-61
  for (const std::string& plain : kPlain) {
    for (std::size_t size = 0; size < plain.size(); ++size) {
      Envelope envelope;
      EXPECT_FALSE(isPlain(plain.substr(0, size), std::string_view(plain).substr(size), envelope));
    }
  }
}

/// As many bytes of `pattern`, over and over, as must be readable behind a message.
std::string behind(std::string_view pattern) {
  std::string bytes;
  while (bytes.size() < kPadding) bytes += pattern;
  bytes.resize(kPadding);
  return bytes;
}

// With a sanitizer: no byte beyond the 64 is looked at, whatever these say.
TEST(PlainEnvelope, NoByteBeyondThePaddingIsRead) {
  std::vector<std::string> tails;
  for (const char* const pattern :
       {"[", "{", " ", "1,", "9", "x", "\"", "\",", "\":", "\" ,", "{}}", "\"x\":1,",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\",", "[1,", "-", "0."}) {
    tails.push_back(behind(pattern));
  }
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same tails each time
  constexpr std::string_view kBytes = "[]{}\",: x1.-\\";
  for (int count = 0; count < 300; ++count) {
    std::string tail(kPadding, ' ');
    for (char& byte : tail) byte = kBytes[random() % kBytes.size()];
    tails.push_back(tail);
  }
  for (const std::string& plain : kPlain) {
    for (std::size_t size = 0; size < plain.size(); ++size) {
      for (const std::string& tail : tails) {
        const std::string padded = plain.substr(0, size) + tail;
        const std::vector<char> exact(padded.begin(), padded.end());
        Envelope envelope;
        EXPECT_FALSE(readPlainEnvelope({exact.data(), size}, envelope)) << padded;
      }
    }
  }
}

}  // namespace
}  // namespace sub0::json
