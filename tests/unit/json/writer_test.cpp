// SPDX-License-Identifier: Apache-2.0
#include "json/writer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "json/parser.hpp"

namespace sub0::json {
namespace {

std::string doubleText(double value) {
  std::string out;
  writeDouble(value, out);
  return out;
}

TEST(Writer, DoublesAreShortAndReadBackTheSame) {
  EXPECT_EQ(doubleText(1.0), "1");
  EXPECT_EQ(doubleText(-0.0), "0");
  EXPECT_EQ(doubleText(0.1), "0.1");
  EXPECT_EQ(doubleText(999999999999999.0), "999999999999999");
  EXPECT_EQ(doubleText(1e15), "1e+15");
  EXPECT_EQ(doubleText(1.2345678901234567e21), "1.2345678901234568e+21");
  EXPECT_EQ(doubleText(std::numeric_limits<double>::infinity()), "null");
}

TEST(Writer, StringsAreEscaped) {
  std::string out;
  writeString(std::string("a\"b\\c\n\r\t\b\f\x01\x1f\0\x7f\xC3\xA9/", 17), out);
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u001f\\u0000\x7f\xC3\xA9/\"");
}

TEST(Writer, EveryByteIsFoundAtEveryPlaceOfALongText) {
  for (int byte = 1; byte < 128; ++byte) {
    for (std::size_t place = 0; place < 20; ++place) {
      std::string source(20, 'x');
      source[place] = static_cast<char>(byte);
      Parser parser;
      Arena arena;
      std::string out;
      writeString(source, out);
      const auto value = parser.parseCopy(out, arena);
      ASSERT_TRUE(value) << byte << " at " << place;
      ASSERT_EQ(chars(*value), source) << byte << " at " << place;
    }
  }
}

TEST(Writer, NumbersAsTextAndRawJsonAreSpliced) {
  const Member members[] = {{toView("n"), number("12345678901234567890.10")},
                            {toView("r"), raw("{ \"a\": 1 }")}};
  EXPECT_EQ(toString(object(members, 2)), "{\"n\":12345678901234567890.10,\"r\":{ \"a\": 1 }}");
}

/// A value by chance, of at most `depth` more levels.
Value randomValue(std::mt19937_64& random, Arena& arena, int depth) {
  const auto randomText = [&] {
    std::string out;
    constexpr const char* kPieces[] = {
        "a",    "\"", "\\",           "\n", "\xC3\xA9", "\xF0\x9F\x98\x80",
        "\x01", "/",  "plain words ", "{",  "}",        "\xE2\x80\xA8"};
    for (auto left = random() % 12; left > 0; --left) out += kPieces[random() % 12];
    return arena.copy(out);
  };
  switch (random() % (depth > 0 ? 8 : 6)) {
    case 0:
      return null();
    case 1:
      return boolean(random() % 2 == 0);
    case 2:
      return integer(static_cast<int64_t>(random()) >> (random() % 64));
    case 3: {
      const std::uint64_t bits = random();
      double value = 0;
      std::memcpy(&value, &bits, sizeof value);
      return real(value);
    }
    case 4:
      return number(arena.copy(std::to_string(random() | UINT64_C(1) << 63)));
    case 5:
      return text(randomText());
    case 6: {
      const std::size_t count = random() % 5;
      Value* items = arena.array<Value>(count);
      for (std::size_t i = 0; i < count; ++i) items[i] = randomValue(random, arena, depth - 1);
      return array(items, count);
    }
    default: {
      const std::size_t count = random() % 25;
      Member* members = arena.array<Member>(count);
      for (std::size_t i = 0; i < count; ++i) {
        members[i].key = toView(arena.copy(std::to_string(i) + std::string(randomText())));
        members[i].value = randomValue(random, arena, depth - 1);
      }
      return object(members, count);
    }
  }
}

TEST(Writer, WhateverIsWrittenReadsBackEqual) {
  std::mt19937_64 random(7);
  Parser parser;
  for (int round = 0; round < 3'000; ++round) {
    Arena arena;
    const Value value = randomValue(random, arena, 4);
    ASSERT_TRUE(isWellFormed(value, 1u << 20));
    const std::string written = toString(value);
    const auto read = parser.parseCopy(written, arena);
    ASSERT_TRUE(read) << written << read.error().message;
    ASSERT_TRUE(equals(value, *read)) << written;
    ASSERT_EQ(toString(*read), written);
  }
}

}  // namespace
}  // namespace sub0::json
