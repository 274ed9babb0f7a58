// SPDX-License-Identifier: Apache-2.0
#include "plugin/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/log.hpp"
#include "plugin/elf_card.hpp"
#include "tests/unit/plugin/rig.hpp"

namespace sub0::plugin {
namespace {

using test::Rig;
using test::ScriptedPlugin;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// A plugin with three settings, and what its create was given.
struct WithSettings {
  WithSettings() {
    const std::uint32_t types[] = {SUB0_TEXT, SUB0_INT, SUB0_BOOL};
    const std::string_view names[] = {"DATABASE_URL", "SUB0_COUNT", "SUB0_FLAG"};
    const std::string_view defaults[] = {"sqlite:x.db", "7", "false"};
    for (std::size_t i = 0; i < 3; ++i) {
      table[i].struct_size = sizeof(sub0_setting);
      table[i].type = types[i];
      table[i].flags = i == 0 ? SUB0_SETTING_SECRET : 0;
      table[i].name = json::toView(names[i]);
      table[i].default_value = json::toView(defaults[i]);
      table[i].description = json::toView("what it is for");
      list[i] = &table[i];
    }
    plugin.descriptor.settings = list;
    plugin.descriptor.setting_count = 3;
    plugin.on_create = [this](const sub0_value& settings) {
      url = json::chars(*json::find(settings, "DATABASE_URL"));
      count = json::find(settings, "SUB0_COUNT")->as.i;
      flag = json::find(settings, "SUB0_FLAG")->as.i != 0;
      return SUB0_OK;
    };
    EXPECT_TRUE(registry.add(&plugin.descriptor));
  }
  bool create(std::map<std::string, std::string, std::less<>> values) {
    return registry.createAll(host, [&](std::string_view name) {
      const auto found = values.find(name);
      return found == values.end() ? std::nullopt : std::optional(found->second);
    });
  }

  sub0_setting table[3] = {};
  const sub0_setting* list[3] = {};
  ScriptedPlugin plugin;
  HostTable host;
  Registry registry;
  std::string url;
  std::int64_t count = 0;
  bool flag = false;
};

TEST(Registry, SettingsAreListedAndReachCreateWithTheirTypes) {
  WithSettings t;
  ASSERT_THAT(t.registry.settings(), SizeIs(3));
  EXPECT_TRUE(t.registry.settings()[0].is_secret);
  ASSERT_TRUE(t.create({{"SUB0_COUNT", "-12"}, {"SUB0_FLAG", "true"}}));
  EXPECT_EQ(t.url, "sqlite:x.db");
  EXPECT_EQ(t.count, -12);
  EXPECT_TRUE(t.flag);
  t.registry.destroyAll();
}

TEST(Registry, SettingsOfTheWrongTypeAreAllReportedWithoutSecrets) {
  WithSettings t;
  EXPECT_FALSE(t.create({{"SUB0_COUNT", "12x"}, {"SUB0_FLAG", "perhaps"}}));
  ASSERT_THAT(t.registry.problems(), SizeIs(2));
  EXPECT_THAT(t.registry.problems()[0].message, HasSubstr("SUB0_COUNT"));
  EXPECT_THAT(t.registry.problems()[1].message, HasSubstr("perhaps"));
}

TEST(Registry, LifeGoesInOrderAndAFailedStartStopsTheOthers) {
  ScriptedPlugin first("test.first", "FIRST");
  HostTable host;
  {
    Registry registry;
    ASSERT_TRUE(registry.add(&first.descriptor));
    const auto unset = [](std::string_view) { return std::optional<std::string>(); };
    ASSERT_TRUE(registry.createAll(host, unset));
    first.on_start = [] { return SUB0_UNAVAILABLE; };
    EXPECT_FALSE(registry.startAll());
    EXPECT_THAT(registry.problems().back().message, HasSubstr("could not be started"));
    registry.destroyAll();
  }
  EXPECT_EQ(first.life, "start destroy ");
}

// Once: in the report alone. Where nothing has failed in the end, it is a line of the log.
TEST(Registry, WhatAPluginLoggedSaysWhyItHasFailed) {
  static std::string logged;
  logged.clear();
  log::setSink([](std::string_view line) { logged += line; });
  const auto unset = [](std::string_view) { return std::optional<std::string>(); };
  ScriptedPlugin plugin;
  const auto failLoudly = [&] {
    const sub0_text_view line = json::toView("no such database");
    plugin.host->log(plugin.host, SUB0_LOG_ERROR, &line);
    return SUB0_UNAVAILABLE;
  };
  HostTable host;
  {
    plugin.on_create = [&](const sub0_value&) -> int32_t { return failLoudly(); };
    Registry registry;
    ASSERT_TRUE(registry.add(&plugin.descriptor));
    EXPECT_FALSE(registry.createAll(host, unset));
    EXPECT_THAT(registry.problems().back().message, HasSubstr("no such database [unavailable"));
    EXPECT_THAT(logged, Not(HasSubstr("no such database")));
  }
  {
    plugin.on_create = [&](const sub0_value&) -> int32_t {
      failLoudly();
      return SUB0_OK;
    };
    Registry registry;
    ASSERT_TRUE(registry.add(&plugin.descriptor));
    EXPECT_TRUE(registry.createAll(host, unset));
    EXPECT_THAT(logged, HasSubstr("no such database"));
    registry.destroyAll();
  }
  {
    plugin.on_create = nullptr;
    plugin.on_start = failLoudly;
    Registry registry;
    ASSERT_TRUE(registry.add(&plugin.descriptor));
    ASSERT_TRUE(registry.createAll(host, unset));
    EXPECT_FALSE(registry.startAll());
    EXPECT_THAT(registry.problems().back().message, HasSubstr("no such database"));
    registry.destroyAll();
  }
  log::setSink(nullptr);
}

//
TEST(Registry, DescriptorsThatBreakTheContractAreRefused) {
  struct Case {
    std::function<void(ScriptedPlugin&)> spoil;
    std::string expected;
  };
  const Case cases[] = {
      {[](ScriptedPlugin& p) { p.descriptor.struct_size = 8; }, "struct_size"},
      {[](ScriptedPlugin& p) { p.descriptor.abi_major = 3; }, "needs plugin ABI 3"},
      {[](ScriptedPlugin& p) { p.descriptor.abi_minor = 99; }, "needs plugin ABI 0.99"},
      {[](ScriptedPlugin& p) { p.descriptor.id = json::toView("nodots"); }, "reverse-DNS"},
      {[](ScriptedPlugin& p) { p.descriptor.id = {}; }, "reverse-DNS"},
      {[](ScriptedPlugin& p) { p.descriptor.version = {}; }, "version"},
      {[](ScriptedPlugin& p) { p.descriptor.handlers = nullptr; }, "null"},
      {[](ScriptedPlugin& p) { p.descriptor.start = nullptr; }, "slot start is null"},
      {[](ScriptedPlugin& p) { p.handler.run = nullptr; }, "slot run is null"},
      {[](ScriptedPlugin& p) { p.handler.struct_size = 4; }, "struct_size"},
      {[](ScriptedPlugin& p) { p.handler.kind = 5; }, "kind"},
      {[](ScriptedPlugin& p) { p.handler.placement = 0; }, "placement"},
      {[](ScriptedPlugin& p) { p.handler.flags = 1U << 30; }, "flags"},
      {[](ScriptedPlugin& p) { p.handler.name = json::toView("NO\nNAME"); }, "name"},
      {[](ScriptedPlugin& p) { p.handler.schema = json::toView("{"); }, "schema"},
  };
  for (const Case& one : cases) {
    ScriptedPlugin plugin;
    one.spoil(plugin);
    Registry registry;
    EXPECT_FALSE(registry.add(&plugin.descriptor)) << one.expected;
    ASSERT_THAT(registry.problems(), SizeIs(1)) << one.expected;
    EXPECT_THAT(registry.problems()[0].message, HasSubstr(one.expected));
    EXPECT_THAT(registry.plugins(), IsEmpty());
  }
}

TEST(Registry, FolderThatIsNotThereIsAWarning) {
  Registry registry;
  registry.loadFolders({{"/nonexistent/plugins", true}});
  EXPECT_FALSE(registry.hasErrors());
  EXPECT_THAT(registry.problems(), SizeIs(1));
}

// the reader believes no offset
TEST(ElfCard, CutAndSpoiledFilesAreRefusedWithoutReadingBeyondThem) {
  std::string file(512, '\0');
  file.replace(0, 4,
               "\x7f"
               "ELF",
               4);
  file[4] = 2;
  file[5] = 1;
  file[16] = 3;
  file[18] = 62;
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(readCard(std::string_view(file).substr(0, size)).card);
  }
  for (std::size_t at = 20; at < 64; ++at) {  // offsets and counts beyond everything
    std::string spoiled = file;
    spoiled[at] = '\xff';
    EXPECT_FALSE(readCard(spoiled).problem.empty());
  }
}

}  // namespace
}  // namespace sub0::plugin
