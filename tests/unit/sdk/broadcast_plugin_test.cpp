// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sub0/testing/fake_host.hpp>

#define sub0_plugin_v0 broadcast_plugin_entry
#include "plugins/broadcast/broadcast.cpp"
#include "plugins/broadcast/message.cpp"
#include "plugins/broadcast/uids.cpp"

namespace {

using sub0::Literal;
using sub0::Tree;
using sub0::testing::Broadcast;
using sub0::testing::End;
using sub0::testing::FakeHost;

constexpr const char* kEffect = "broadcast_websocket_message";

// spec S-38
TEST(BroadcastMode, SendsThePayloadByDefaultAndCountsRecipients) {
  FakeHost host(broadcast_plugin_entry());
  host.recipients = 42;
  auto action = host.prepare("BROADCAST", {{"broadcast_type", "ALL"}, {"action", "tick"}});
  action.give("$PAYLOAD", Literal::rawJson("{\"x\":1}"));
  const End end = action.run();
  EXPECT_TRUE(end.isOk());
  EXPECT_EQ(end.value.find("recipients").asInt(), 42);
  EXPECT_EQ(end.value.view().size(), 1U);
  ASSERT_EQ(host.broadcasts.size(), 1U);
  const Broadcast& sent = host.broadcasts[0];
  EXPECT_EQ(sent.type, SUB0_TO_ALL);
  EXPECT_EQ(sent.flags, 0U);
  EXPECT_EQ(sent.action, "tick");
  EXPECT_FALSE(sent.has_recipients);
  EXPECT_EQ(sent.data.view().asText(), "{\"x\":1}");
}

// spec S-38: `data` is a template; an explicit null is one too
TEST(BroadcastMode, SendsItsDataWhereThereIsSome) {
  FakeHost host(broadcast_plugin_entry());
  host.prepare("BROADCAST", {{"broadcast_type", "ALL"}, {"action", "tick"}, {"data", {{"y", 2}}}})
      .run();
  host.prepare("BROADCAST", {{"broadcast_type", "ALL"}, {"action", "tick"}, {"data", nullptr}})
      .run();
  EXPECT_EQ(host.broadcasts[0].data.find("y").asInt(), 2);
  EXPECT_TRUE(host.broadcasts[1].data.view().isNull());
}

// spec S-50: a GET must not broadcast
TEST(BroadcastMode, DoesNotCountAsReadingOnly) {
  FakeHost host(broadcast_plugin_entry());
  const Tree config({{"broadcast_type", "ALL"}, {"action", "tick"}});
  for (const char* name : {"BROADCAST", kEffect}) {
    auto action = host.prepare(name, config);
    ASSERT_TRUE(action.facts.count("reads_only")) << name;
    EXPECT_FALSE(action.facts["reads_only"].view().asBool(true)) << name;
    EXPECT_EQ(action.handler().flags, SUB0_COMPLETES_IN_RUN | SUB0_ACCEPTS_RAW);
  }
}

// spec S-115
TEST(BroadcastEffect, SendsTheActionsResult) {
  FakeHost host(broadcast_plugin_entry());
  auto action = host.prepare(kEffect, {{"broadcast_type", "SINGLE"}, {"action", "changed"}});
  action.give("result", {{"wallet_balance", 12}});
  EXPECT_TRUE(action.run().isOk());
  action.give("result", Tree());
  EXPECT_TRUE(action.run().isOk());
  ASSERT_EQ(host.broadcasts.size(), 2U);
  EXPECT_EQ(host.broadcasts[0].type, SUB0_TO_SINGLE);
  EXPECT_FALSE(host.broadcasts[0].has_recipients) << "no broadcast_to: the caller";
  EXPECT_EQ(host.broadcasts[0].data.find("wallet_balance").asInt(), 12);
  EXPECT_TRUE(host.broadcasts[1].data.view().isNull()) << "a null result sends data: null";
}

// spec S-115: recipients as they come out of the template, in a value tree or as raw JSON
TEST(BroadcastRecipients, ComeFromTheTemplate) {
  const struct {
    const char* type;
    Tree given;
    uint32_t sent_type;
    std::string uids;  // "-": the run fails
  } rows[] = {
      {"SINGLE", Literal("u1"), SUB0_TO_SINGLE, "u1"},
      {"SINGLE", Literal(7), SUB0_TO_SINGLE, "7"},
      {"SINGLE", Literal::rawJson("\"u\\u00e4\\ud83d\\ude00\\n\""), SUB0_TO_SINGLE, "uä😀\n"},
      {"SINGLE", Literal::rawJson(" 12345678901234567890 "), SUB0_TO_SINGLE,
       "12345678901234567890"},
      {"SINGLE", Literal(nullptr), SUB0_TO_BULK, ""},
      {"SINGLE", Literal::rawJson("null"), SUB0_TO_BULK, ""},
      {"SINGLE", Literal(true), 0, "-"},
      {"SINGLE", Literal::array({"u1"}), 0, "-"},
      {"BULK", Literal::array({"u1", 2}), SUB0_TO_BULK, "u1,2,"},
      {"BULK", Literal::rawJson("[\"u1\", 2 ,\"a\\\"b\"]"), SUB0_TO_BULK, "u1,2,a\"b,"},
      {"BULK", Literal::rawJson("[ ]"), SUB0_TO_BULK, ""},
      {"BULK", Literal(nullptr), SUB0_TO_BULK, ""},
      {"BULK", Literal("u1"), 0, "-"},
      {"BULK", Literal::rawJson("[[\"u1\"]]"), 0, "-"},
      {"BULK", Literal::rawJson("{\"u1\":1}"), 0, "-"},
      {"BULK", Literal::rawJson("[true]"), 0, "-"},
      {"BULK", Literal::array({true}), 0, "-"},
      {"BULK", Literal::array({"u1", nullptr}), SUB0_TO_BULK, "u1,,"},
  };
  for (const auto& row : rows) {
    for (const char* name : {"BROADCAST", kEffect}) {
      FakeHost host(broadcast_plugin_entry());
      auto action = host.prepare(
          name, {{"broadcast_type", row.type}, {"broadcast_to", "$PAYLOAD.to"}, {"action", "a"}});
      action.give("$PAYLOAD.to", row.given);
      const End end = action.run();
      if (row.uids == "-") {
        EXPECT_EQ(end.code, SUB0_BAD_REQUEST) << row.given.view().toText();
        EXPECT_TRUE(host.broadcasts.empty());
        continue;
      }
      ASSERT_EQ(host.broadcasts.size(), 1U) << row.type << " " << row.given.view().toText();
      const Broadcast& sent = host.broadcasts[0];
      std::string uids = sent.to.view().toText();
      for (sub0::Value uid : sent.to.view().items()) uids += uid.toText() + ",";
      EXPECT_EQ(sent.type, row.sent_type);
      EXPECT_TRUE(sent.has_recipients) << "null must not turn into the caller";
      EXPECT_EQ(uids, row.uids);
    }
  }
}

// spec S-115: exclude_sender
TEST(BroadcastEffect, CanLeaveOutTheSender) {
  FakeHost host(broadcast_plugin_entry());
  host.prepare(kEffect, {{"broadcast_type", "ALL"}, {"action", "a"}, {"exclude_sender", true}})
      .run();
  EXPECT_EQ(host.broadcasts[0].flags, SUB0_EXCLUDE_SENDER);
}

// spec S-38, spec S-115
TEST(BroadcastConfiguration, ErrorsNameTheirPlace) {
  const struct {
    Tree config;
    const char* pointer;
  } rows[] = {
      {Literal("ALL"), ""},
      {{{"action", "a"}}, ""},
      {{{"broadcast_type", "SOME"}, {"action", "a"}}, "/broadcast_type"},
      {{{"broadcast_type", "all"}, {"action", "a"}}, "/broadcast_type"},
      {{{"broadcast_type", "ALL"}}, ""},
      {{{"broadcast_type", "ALL"}, {"action", 5}}, "/action"},
      {{{"broadcast_type", "BULK"}, {"action", "a"}}, ""},
      {{{"broadcast_type", "BULK"}, {"action", "a"}, {"broadcast_to", 5}}, "/broadcast_to"},
      {{{"broadcast_type", "BULK"}, {"action", "a"}, {"broadcast_to", nullptr}}, "/broadcast_to"},
      {{{"broadcast_type", "BULK"}, {"action", "a"}, {"broadcast_to", "bob"}}, "/broadcast_to"},
      {{{"broadcast_type", "BULK"}, {"action", "a"}, {"broadcast_to", ""}}, "/broadcast_to"},
      {{{"broadcast_type", "SINGLE"}, {"action", "a"}, {"broadcast_to", Literal::array({})}},
       "/broadcast_to"},
      {{{"broadcast_type", "ALL"}, {"action", "a"}, {"exclude_sender", "yes"}}, "/exclude_sender"},
  };
  FakeHost host(broadcast_plugin_entry());
  for (const auto& row : rows) {
    for (const char* name : {"BROADCAST", kEffect}) {
      auto action = host.prepare(name, row.config);
      EXPECT_EQ(action.code, SUB0_VALIDATION_FAILED);
      ASSERT_EQ(action.errors.size(), 1U) << row.pointer;
      EXPECT_EQ(action.errors[0].pointer, row.pointer);
    }
  }
  EXPECT_EQ(
      host.prepare("BROADCAST", {{"broadcast_type", "X"}, {"exclude_sender", 1}}).errors.size(), 3U)
      << "all at once";
}

// spec S-2: the host declares the members of both objects, and warns of all others once
TEST(BroadcastConfiguration, UnknownMembersAreLeftToTheHost) {
  FakeHost host(broadcast_plugin_entry());
  const Tree config({{"broadcast_type", "ALL"}, {"action", "a"}, {"data", 1}, {"extra", 1}});
  for (const char* name : {"BROADCAST", kEffect}) {
    auto action = host.prepare(name, config);
    EXPECT_EQ(action.code, SUB0_OK);
    EXPECT_TRUE(action.warnings.empty());
  }
}

TEST(BroadcastConfiguration, AHostWithoutBroadcastsIsAnError) {
  sub0::testing::FakeOptions options;
  options.missing_extension = SUB0_BROADCAST_EXTENSION;
  FakeHost host(broadcast_plugin_entry(), Tree(), options);
  auto action = host.prepare("BROADCAST", {{"broadcast_type", "ALL"}, {"action", "a"}});
  EXPECT_NE(action.code, SUB0_OK);
  EXPECT_EQ(action.errors.size(), 1U);
}

TEST(BroadcastMode, WhatTheHostRefusesFailsTheRun) {
  FakeHost host(broadcast_plugin_entry());
  auto action = host.prepare("BROADCAST", {{"broadcast_type", "ALL"}, {"action", "a"}});
  const struct {
    int32_t refused, code;
    const char* client;
  } rows[] = {{SUB0_LIMIT_EXCEEDED, SUB0_LIMIT_EXCEEDED,
               "too many uids in one broadcast (setting SUB0_BULK_LIMIT)"},
              {SUB0_INVALID_ARGUMENT, SUB0_INTERNAL, ""},
              {SUB0_WRONG_STATE, SUB0_INTERNAL, ""}};
  for (const auto& row : rows) {
    host.broadcast_code = row.refused;
    const End end = action.run();
    EXPECT_EQ(end.code, row.code);
    EXPECT_EQ(end.client, row.client);
    EXPECT_EQ(end.times, 1);
  }
}

}  // namespace
