// SPDX-License-Identifier: Apache-2.0
// The messages are those of PostgreSQL's manual, "Message Formats".
#include "postgres/postgres_wire.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

namespace sub0::query {
namespace {

using std::string_literals::operator""s;  // texts with NULs

constexpr std::size_t kMost = 1000;

void put(PostgresInput& input, std::string_view bytes) {
  std::size_t room = 0;
  char* const at = input.room(room);
  ASSERT_GE(room, bytes.size());
  std::memcpy(at, bytes.data(), bytes.size());
  input.add(bytes.size());
}

// What messages there are, as TYPE(BODY).
std::string allOf(PostgresInput& input) {
  std::string all;
  PostgresMessage message{};
  while (input.next(message) == PostgresInput::State::kMessage) {
    all += message.type;
    all += '(';
    all += message.body;
    all += ')';
  }
  return all;
}

TEST(PostgresOutput, WritesWhatTheProtocolSays) {
  PostgresOutput output;
  output.prepare("s1", "SELECT $1", {25, 0});
  EXPECT_EQ(output.unsent(), "P\0\0\0\33s1\0SELECT $1\0\0\2\0\0\0\31\0\0\0\0"s);
  output.clear();
  output.describeStatement("s1");
  EXPECT_EQ(output.unsent(), "D\0\0\0\10Ss1\0"s);
  output.clear();
  const std::array<const char*, 3> values = {"ab", nullptr, ""};
  output.bind("s1", values.data(), 3);
  EXPECT_EQ(output.unsent(), "B\0\0\0\34\0s1\0\0\0\0\3\0\0\0\2ab\377\377\377\377\0\0\0\0\0\0"s);
  output.clear();
  output.describePortal();
  output.execute();
  output.sync();
  EXPECT_EQ(output.unsent(), "D\0\0\0\6P\0E\0\0\0\11\0\0\0\0\0S\0\0\0\4"s);
}

TEST(PostgresOutput, WhatIsSentIsGone) {
  PostgresOutput output;
  output.sync();
  output.markSent(2);
  output.sync();
  EXPECT_EQ(output.unsent(), "\0\0\4S\0\0\0\4"s);
  output.markSent(8);
  EXPECT_EQ(output.unsent(), "");
}

TEST(PostgresInput, CutsMessagesWhereverTheirBytesAreCut) {
  const std::string bytes = "1\0\0\0\4D\0\0\0\7abcZ\0\0\0\5I"s;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    PostgresInput input(kMost);
    put(input, bytes.substr(0, cut));
    std::string all = allOf(input);
    put(input, bytes.substr(cut));
    all += allOf(input);
    EXPECT_EQ(all, "1()D(abc)Z(I)") << cut;
  }
}

TEST(PostgresInput, HoldsAMessageThatIsLargerThanItsRoom) {
  PostgresInput input(200000);
  const std::string body(100000, 'x');
  put(input, "D\0\1\206\244"s);  // 100,004
  EXPECT_EQ(allOf(input), "");
  put(input, body);
  EXPECT_EQ(allOf(input), "D(" + body + ")");
  std::size_t room = 0;
  input.room(room);
  EXPECT_LT(room, 100000U);  // and gives the memory back
}

TEST(PostgresInput, SaysOfTheHeadAloneThatARowIsTooLargeAndDropsIt) {
  PostgresInput input(kMost);
  put(input, "D\0\0\3\351"s);  // 1,001
  PostgresMessage message{};
  EXPECT_EQ(input.next(message), PostgresInput::State::kTooLarge);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(input.next(message), PostgresInput::State::kNothing);
    put(input, std::string(498, 'Z'));
  }
  put(input, "ZC\0\0\0\5x"s);
  EXPECT_EQ(allOf(input), "C(x)");
}

TEST(PostgresInput, OfAnErrorThatIsTooLargeGivesTheBeginning) {
  PostgresInput input(10000);
  const std::string body = "C22P02\0M"s + std::string(50000, 'x') + "\0\0"s;
  put(input, "E\0\0\303\136"s + body.substr(0, 10000));  // 50,014
  PostgresMessage message{};
  ASSERT_EQ(input.next(message), PostgresInput::State::kMessage);
  EXPECT_EQ(message.body, body.substr(0, 8188));
  EXPECT_EQ(PostgresError(message.body).state(), "22P02");
  for (std::size_t at = 10000; at < body.size(); at += 5000) {
    EXPECT_EQ(allOf(input), "");
    put(input, body.substr(at, 5000));
  }
  put(input, "Z\0\0\0\5I"s);
  EXPECT_EQ(allOf(input), "Z(I)");
}

TEST(PostgresInput, RefusesWhatIsNoMessage) {
  for (const std::string& bytes : {"\0\0\0\0\4"s, "D\0\0\0\3"s, "9\0\0\0\4"s, " \0\0\0\4"s}) {
    PostgresInput input(kMost);
    put(input, bytes);
    PostgresMessage message{};
    EXPECT_EQ(input.next(message), PostgresInput::State::kBroken) << bytes;
  }
}

TEST(PostgresColumns, HaveNamesAndTypes) {
  const std::string id = "id\0\0\0\0\1\0\2\0\0\0\27\0\4\377\377\377\377\0\0"s;
  const std::string name = "a name\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\0"s;
  PostgresColumns columns;
  ASSERT_TRUE(columns.read("\0\2"s + id + name));
  ASSERT_EQ(columns.columns.size(), 2U);
  EXPECT_EQ(columns.columns[0].name, "id");
  EXPECT_EQ(columns.columns[0].type, 23U);
  EXPECT_EQ(columns.columns[1].name, "a name");
  EXPECT_EQ(columns.columns[1].type, 25U);
  const std::string whole = "\0\1"s + id;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(columns.read(whole.substr(0, size))) << size;
  }
}

TEST(PostgresRow, GivesTextsAndNulls) {
  const std::string body = "\0\3\0\0\0\2ab\377\377\377\377\0\0\0\0"s;
  PostgresRow row(body);
  EXPECT_EQ(row.count(), 3U);
  std::string_view value = "before";
  EXPECT_TRUE(row.next(value));
  EXPECT_EQ(value, "ab");
  EXPECT_FALSE(row.next(value));
  EXPECT_TRUE(row.next(value));
  EXPECT_EQ(value, "");
  EXPECT_FALSE(row.next(value));
}

TEST(PostgresRow, NeverGivesMoreThanThereIs) {
  std::string_view value;
  for (const std::string& body : {"\0\1\0\0\0\3ab"s, "\0\1\0\0"s, "\0"s, ""s}) {
    EXPECT_FALSE(PostgresRow(body).next(value)) << body;
  }
}

TEST(PostgresError, HasFields) {
  const PostgresError error("SERROR\0C23505\0Mno\0\0"s);
  EXPECT_EQ(error.state(), "23505");
  EXPECT_EQ(error.text(), "no");
  EXPECT_EQ(error.field(PG_DIAG_COLUMN_NAME), "");
  EXPECT_EQ(PostgresError("C235"s).state(), "");  // it has no end
}

TEST(PostgresParameterTypes, AreListed) {
  EXPECT_EQ(parameterTypesOf("\0\2\0\0\0\31\0\0\4\23"s), (std::vector<Oid>{25, 1043}));
  EXPECT_EQ(parameterTypesOf("\0\2\0\0\0\31"s), (std::vector<Oid>{25}));
}

}  // namespace
}  // namespace sub0::query
