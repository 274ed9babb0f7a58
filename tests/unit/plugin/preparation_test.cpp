// SPDX-License-Identifier: Apache-2.0
#include "plugin/preparation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/parser.hpp"
#include "tests/unit/plugin/rig.hpp"

namespace sub0::plugin {
namespace {

using test::Rig;
using test::ScriptedPlugin;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A handler made of functions, and what its prepare made of one configuration.
struct Prepared {
  explicit Prepared(std::uint16_t kind = SUB0_MODE) {
    plugin.handler.kind = kind;
    EXPECT_TRUE(rig.registry.add(&plugin.descriptor));
    EXPECT_TRUE(rig.start());
  }
  bool run(std::string_view config_json) {
    const auto config = json::Parser().parseCopy(config_json, rig.arena);
    EXPECT_TRUE(config);
    problems.clear();
    config_value = *config;
    return prepare(*rig.registry.handlers().at(0), config_value, none, none, action, problems);
  }
  static int32_t input(sub0_preparation* p, std::string_view pointer,
                       uint32_t rule = SUB0_RULE_TEMPLATE) {
    const sub0_text_view view = json::toView(pointer);
    return p->input(p, &view, rule);
  }
  static void fact(sub0_preparation* p, std::string_view name, const json::Value& value) {
    const sub0_text_view view = json::toView(name);
    p->fact(p, &view, &value);
  }

  ScriptedPlugin plugin;
  Rig rig;
  json::Value none{}, config_value{};
  PreparedAction action;
  std::vector<PrepareProblem> problems;
};

TEST(Preparation, InputsAreDeclaredInOrderWithTheirValues) {
  Prepared t;
  t.plugin.on_prepare = [](sub0_preparation* p, const sub0_value*) -> int32_t {
    EXPECT_EQ(Prepared::input(p, "/list/1", SUB0_RULE_PARAMETER), 0);
    const sub0_text_view payload = json::toView("$PAYLOAD");
    EXPECT_EQ(p->input_of(p, &payload), 1);
    EXPECT_EQ(Prepared::input(p, ""), 2);
    EXPECT_EQ(Prepared::input(p, "/a~1b/c~0d"), 3);
    p->place(p, SUB0_PLACE_POOL);
    return SUB0_OK;
  };
  ASSERT_TRUE(t.run(R"({"list":[1,"$PAYLOAD.x"],"a/b":{"c~d":7}})"));
  EXPECT_THAT(t.problems, IsEmpty());
  ASSERT_THAT(t.action.inputs, SizeIs(4));
  EXPECT_EQ(t.action.inputs[0].rule, InputRule::kParameter);
  EXPECT_EQ(json::chars(*t.action.inputs[0].value), "$PAYLOAD.x");
  EXPECT_TRUE(t.action.inputs[1].is_text);
  EXPECT_EQ(t.action.inputs[1].text, "$PAYLOAD");
  EXPECT_EQ(t.action.inputs[2].value, &t.config_value);
  EXPECT_EQ(t.action.inputs[3].value->as.i, 7);
  EXPECT_EQ(t.action.placement, Placement::kPool);
}

TEST(Preparation, APluginThatCouldNotBeCreatedPreparesNothing) {
  ScriptedPlugin plugin;
  Rig rig;
  plugin.on_create = [](const sub0_value&) -> int32_t { return SUB0_UNAVAILABLE; };
  plugin.on_prepare = [](sub0_preparation*, const sub0_value*) -> int32_t {
    ADD_FAILURE() << "prepare without create";
    return SUB0_OK;
  };
  EXPECT_TRUE(rig.registry.add(&plugin.descriptor));
  EXPECT_FALSE(rig.start());
  EXPECT_EQ(rig.prepared("SCRIPT"), nullptr);
  EXPECT_THAT(rig.problems, IsEmpty()) << "why it has no life is reported already";
}

TEST(Preparation, FirstDeclaredInputOfAnEffectIsInputOne) {
  Prepared t(SUB0_EFFECT);
  t.plugin.on_prepare = [](sub0_preparation* p, const sub0_value*) -> int32_t {
    EXPECT_EQ(Prepared::input(p, ""), 1);
    return SUB0_OK;
  };
  EXPECT_TRUE(t.run("{}"));
}

TEST(Preparation, MissingPlaceOfAnInputIsAnErrorThere) {
  Prepared t;
  t.plugin.on_prepare = [](sub0_preparation* p, const sub0_value*) -> int32_t {
    for (const std::string_view pointer : {"/no", "/list/01", "/list/9", "/list/~2", "list"}) {
      EXPECT_EQ(Prepared::input(p, pointer), -1) << pointer;
    }
    return SUB0_BAD_REQUEST;
  };
  EXPECT_FALSE(t.run(R"({"list":[1]})"));
  ASSERT_THAT(t.problems, SizeIs(5));
  EXPECT_EQ(t.problems[0].pointer, "/no");
  EXPECT_EQ(t.plugin.released, 0);
}

TEST(Preparation, FactsAreTakenAndWrongOnesAreFaultsOfThePlugin) {
  Prepared t;
  t.plugin.on_prepare = [](sub0_preparation* p, const sub0_value*) -> int32_t {
    const json::Value tables[] = {json::text("users"), json::text("jobs")};
    Prepared::fact(p, "reads_only", json::boolean(true));
    Prepared::fact(p, "waits", json::boolean(true));
    Prepared::fact(p, "tables", json::array(tables, 2));
    Prepared::fact(p, "cost", json::integer(3));
    return SUB0_OK;
  };
  ASSERT_TRUE(t.run("{}"));
  EXPECT_TRUE(t.action.reads_only);
  EXPECT_TRUE(t.action.waits);
  EXPECT_THAT(t.action.tables, ElementsAre("users", "jobs"));
  EXPECT_THAT(t.action.other_facts, ElementsAre(std::pair<std::string, std::string>("cost", "3")));

  t.plugin.on_prepare = [](sub0_preparation* p, const sub0_value*) -> int32_t {
    Prepared::fact(p, "reads_only", json::integer(1));
    Prepared::fact(p, "tables", json::text("users"));
    p->place(p, 9);
    return SUB0_OK;
  };
  EXPECT_FALSE(t.run("{}"));
  ASSERT_THAT(t.problems, SizeIs(3));
  EXPECT_THAT(t.problems[0].message, HasSubstr("internal fault in plugin test.scripted"));
  EXPECT_EQ(t.plugin.released, 2);  // the first action, and the second, which was given back
}

TEST(Preparation, AllErrorsAndWarningsOfOneActionAreReported) {
  Prepared t;
  t.plugin.on_prepare = [](sub0_preparation* p, const sub0_value*) -> int32_t {
    const sub0_text_view pointer = json::toView("/a");
    const sub0_text_view text = json::toView("is wrong");
    p->error(p, &pointer, &text);
    p->warning(p, &pointer, &text);
    p->error(p, nullptr, nullptr);
    return SUB0_VALIDATION_FAILED;
  };
  EXPECT_FALSE(t.run("{}"));
  ASSERT_THAT(t.problems, SizeIs(3));
  EXPECT_EQ(t.problems[0].pointer, "/a");
  EXPECT_EQ(t.problems[1].severity, Severity::kWarning);
}

TEST(Preparation, FailureWithoutAWordIsAnErrorThatNamesThePlugin) {
  Prepared t;
  t.plugin.on_prepare = [](sub0_preparation*, const sub0_value*) { return SUB0_INTERNAL; };
  EXPECT_FALSE(t.run("{}"));
  ASSERT_THAT(t.problems, SizeIs(1));
  EXPECT_THAT(t.problems[0].message, HasSubstr("test.scripted"));
}

TEST(Preparation, ActionIsReleasedOnceHoweverItIsMoved) {
  Prepared t;
  ASSERT_TRUE(t.run("{}"));
  {
    PreparedAction moved(std::move(t.action));
    PreparedAction again;
    again = std::move(moved);
    EXPECT_EQ(t.plugin.released, 0);
  }
  EXPECT_EQ(t.plugin.released, 1);
}

}  // namespace
}  // namespace sub0::plugin
