// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/dialect/memory_files.hpp"

// What check says of receivers and labels of broadcasts.
namespace sub0::dialect {
namespace {

const std::string kEffect = "/actionables/1/broadcast_websocket_message";

/// A resource whose action 2 knows "user_id" (extracted), "friend" (declared) and "made"
/// (generated).
Loaded loadBroadcast(const std::string& broadcast) {
  return loadText(resourceText(
      R"({"id": 1, "mode": "VALUE", "no_op": true, "value": {"user_id": 7}},)"
      R"({"id": 2, "mode": "VALUE", "value": {"generate": "UUID", "for": "made"},)"
      R"("payload_validation": [{"field": {"friend": {"type": "STRING"}}}], "depends_on": [)"
      R"({"resource_id": "self", "action_ids": [1], "extract_response_for":)"
      R"([{"extract": "user_id", "for": "user_id"}]}], "broadcast_websocket_message": )" +
          broadcast + "}",
      R"("tokenize": {"encryption_key": "0123456789abcdef0123456789abcdef"},)"
      R"("protected": {"extract_claims": ["id"]}, )"));
}

// spec S-115: a receiver is a template: a word in it is that uid
TEST(Broadcasts, AReceiverThatIsTheNameOfAValueWarnsWithItsAccessor) {
  const std::pair<const char*, const char*> rows[] = {
      {"user_id", "$PAYLOAD.user_id"},
      {"friend", "$PAYLOAD.friend"},
      {"made", "$PAYLOAD.made"},
      {"id", "$PROTECTED.id"},
  };
  for (const auto& [word, accessor] : rows) {
    const std::string name(word);
    const std::string message = "this goes to the uid \"" + name +
                                "\" itself, not to the value of that name; write " + accessor;
    const Loaded single = loadBroadcast(
        R"({"broadcast_type": "SINGLE", "action": "x", "broadcast_to": ")" + name + R"("})");
    ASSERT_TRUE(single.hasWarning("S-115", kEffect + "/broadcast_to")) << name;
    EXPECT_EQ(single.find("S-115", kEffect + "/broadcast_to")->message, message);
    const Loaded bulk =
        loadBroadcast(R"({"broadcast_type": "BULK", "action": "x", "broadcast_to": ["admin", ")" +
                      name + R"("]})");
    ASSERT_TRUE(bulk.hasWarning("S-115", kEffect + "/broadcast_to/1")) << name;
    EXPECT_EQ(bulk.problems.warningCount(), 1u) << bulk.problems.toText();
  }
}

// spec S-115: nobody declares them, but no uid is written like that
TEST(Broadcasts, AReceiverThatLooksLikeTheNameOfAFieldWarnsToo) {
  for (const std::string name : {"owner_id", "ownerId", "member_ids", "uid", "toUid"}) {
    const Loaded single = loadBroadcast(
        R"({"broadcast_type": "SINGLE", "action": "x", "broadcast_to": ")" + name + R"("})");
    ASSERT_TRUE(single.hasWarning("S-115", kEffect + "/broadcast_to")) << name;
    EXPECT_EQ(single.find("S-115", kEffect + "/broadcast_to")->message,
              "this goes to the uid \"" + name +
                  "\" itself; for the payload's field of that name write $PAYLOAD." + name);
  }
}

// spec S-115: other texts are uids, and ALL has no receivers
TEST(Broadcasts, OtherReceiversAreFine) {
  for (const char* const fine :
       {R"({"broadcast_type": "SINGLE", "action": "x", "broadcast_to": "admin"})",
        R"({"broadcast_type": "SINGLE", "action": "x", "broadcast_to": "david"})",
        R"({"broadcast_type": "SINGLE", "action": "x", "broadcast_to": "shop-7_id"})",
        R"({"broadcast_type": "SINGLE", "action": "x", "broadcast_to": "_id"})",
        R"({"broadcast_type": "SINGLE", "action": "x", "broadcast_to": "$PAYLOAD.user_id"})",
        R"({"broadcast_type": "SINGLE", "action": "x", "broadcast_to": 7})",
        R"({"broadcast_type": "SINGLE", "action": "x"})",
        R"({"broadcast_type": "ALL", "action": "user_id"})",
        R"({"broadcast_type": "BULK", "action": "x", "broadcast_to": "$PAYLOAD.friend"})"}) {
    EXPECT_EQ(loadBroadcast(fine).problems.toText(), "") << fine;
  }
}

// spec S-38, S-115: a label is no template
TEST(Broadcasts, AnAccessorInTheLabelWarns) {
  const Loaded effect =
      loadBroadcast(R"({"broadcast_type": "ALL", "action": "ev-$PAYLOAD.friend"})");
  ASSERT_TRUE(effect.hasWarning("S-115", kEffect + "/action")) << effect.problems.toText();
  EXPECT_EQ(
      effect.find("S-115", kEffect + "/action")->message,
      "\"action\" is a label and sent as it stands, \"$PAYLOAD.friend\" too; put what differs "
      "from call to call into the data");
  const Loaded mode = loadText(resourceText(
      R"({"id": 1, "mode": "BROADCAST", "broadcast": {"broadcast_type": "ALL", "action": "$DATETIME"}})"));
  EXPECT_TRUE(mode.hasWarning("S-115", "/actionables/0/broadcast/action"));
}

// spec S-23, S-115: the resource's returnables trim broadcasts of actions that have none themselves
TEST(Broadcasts, ReturnablesOfTheResourceMayBeForABroadcast) {
  const std::string effect =
      R"("broadcast_websocket_message": {"broadcast_type": "ALL", "action": "x"})";
  const auto load = [](const std::string& first) {
    return loadText(resourceText(R"({"id": 1, "mode": "VALUE", )" + first +
                                     R"(}, {"id": 2, "mode": "VALUE", "value": {"c": 3}})",
                                 R"("returnables": ["a", "c"], )"));
  };
  for (const char* const fine : {R"("value": {"a": 1, "b": 2}, )", R"("value": "$PAYLOAD", )"}) {
    EXPECT_EQ(load(fine + effect).problems.toText(), "") << fine;
  }
  const std::string kOwn = R"("value": {"a": 1}, "returnables": ["a"])";
  for (const std::string& one : {std::string(R"("value": {"a": 1})"), kOwn + ", " + effect,
                                 R"("value": {"b": 2}, )" + effect}) {
    EXPECT_TRUE(load(one).hasWarning("S-23", "/returnables/0")) << one;
    EXPECT_FALSE(load(one).hasWarning("S-23", "/returnables/1")) << one;
  }
}

}  // namespace
}  // namespace sub0::dialect
