// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sub0/testing/fake_host.hpp>

#define sub0_plugin_v0 value_plugin_entry
#include "plugins/value/value.cpp"

namespace {

using sub0::Literal;
using sub0::Tree;
using sub0::testing::FakeHost;

// spec S-39
TEST(ValuePlugin, TheResultIsTheEvaluatedTemplate) {
  FakeHost host(value_plugin_entry());
  const Tree templates[] = {Literal("$PAYLOAD"),
                            Literal(5),
                            Literal(nullptr),
                            Literal::array({1}),
                            {{"hello", "$PAYLOAD.name"}}};
  for (const Tree& config : templates) {
    auto action = host.prepare("VALUE", config);
    EXPECT_EQ(action.code, SUB0_OK);
    EXPECT_EQ(action.pointers, std::vector<std::string>{""});
    EXPECT_EQ(action.run().value.view().type(), config.view().type());
    action.give("", {{"any", Literal::array({1, 2})}});
    EXPECT_EQ(action.run().value.find("any").size(), 2U);
  }
}

// spec S-39: echo hands the payload's JSON on as it came
TEST(ValuePlugin, RawJsonGoesThroughUntouched) {
  FakeHost host(value_plugin_entry());
  auto action = host.prepare("VALUE", Literal("$PAYLOAD"));
  action.give("$PAYLOAD", Literal::rawJson("{\"a\": 1e400}"));
  EXPECT_EQ(action.run().value.view().asText(), "{\"a\": 1e400}");
  EXPECT_TRUE(action.run().value.view().isRaw());
}

// spec S-50: GET needs actions that are known to read only
TEST(ValuePlugin, ReadsOnlyAndEndsWithinItsRun) {
  FakeHost host(value_plugin_entry());
  auto action = host.prepare("VALUE", Literal(1));
  EXPECT_TRUE(action.facts["reads_only"].view().asBool());
  EXPECT_EQ(action.handler().flags, SUB0_COMPLETES_IN_RUN | SUB0_ACCEPTS_RAW);
  EXPECT_EQ(action.handler().placement, SUB0_PLACE_LOOP);
}

}  // namespace
