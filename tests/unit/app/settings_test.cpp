// SPDX-License-Identifier: Apache-2.0
#include "app/settings.hpp"

#include <gtest/gtest.h>

namespace sub0::app {
namespace {

using Values = std::map<std::string, std::string>;

/// Settings that see `environment` and, where it is not null, `dot_env`; never the machine's own.
Settings settingsOf(const Values& environment, const Values& dot_env = {}) {
  Settings settings(
      {},
      [environment](std::string_view name) -> std::optional<std::string> {
        const auto found = environment.find(std::string(name));
        if (found == environment.end()) return std::nullopt;
        return found->second;
      },
      "/dev/null");
  dialect::EnvironmentValues values;
  for (const auto& [name, value] : dot_env) values[name] = value;
  settings.addDotEnv(values);
  return settings;
}

TEST(Settings, TheEnvironmentComesBeforeDotEnvAndDotEnvBeforeDefaults) {
  const Settings settings = settingsOf({{"PORT", "1"}}, {{"PORT", "2"}, {"SUB0_LOOPS", "3"}});
  EXPECT_EQ(settings.whole("PORT"), 1);
  EXPECT_EQ(settings.find("PORT").origin, "environment");
  EXPECT_EQ(settings.whole("SUB0_LOOPS"), 3);
  EXPECT_EQ(settings.find("SUB0_LOOPS").origin, ".env");
  EXPECT_EQ(settings.text("SUB0_LOG"), "text");
  EXPECT_TRUE(settings.problems().empty());
}

// What an unset variable of a shell or a container file leaves behind: NAME=
TEST(Settings, AnEmptyValueIsTheDefault) {
  Values empty;
  for (const auto& declared : hostSettings()) empty[declared.name] = "";
  const Settings nothing = settingsOf({});
  for (const Settings& settings : {settingsOf(empty), settingsOf({}, empty)}) {
    EXPECT_TRUE(settings.problems().empty()) << settings.problems().front();
    for (const auto& declared : hostSettings()) {
      EXPECT_EQ(settings.text(declared.name), declared.default_value) << declared.name;
      EXPECT_EQ(settings.flag(declared.name), nothing.flag(declared.name)) << declared.name;
      EXPECT_EQ(settings.find(declared.name).origin, "default") << declared.name;
      EXPECT_EQ(settings.given(declared.name), std::nullopt) << declared.name;
    }
  }
}

TEST(Settings, AnEmptyVariableHidesWhatStandsBehindIt) {
  const Settings settings = settingsOf({{"SUB0_TRACE", ""}}, {{"SUB0_TRACE", "1"}});
  EXPECT_FALSE(settings.flag("SUB0_TRACE"));
}

TEST(Settings, WhatIsNoFlagOrNoNumberIsAProblemWithItsOrigin) {
  for (const char* value : {" ", "maybe", "2", "TRUE!"}) {
    EXPECT_EQ(settingsOf({{"SUB0_TRACE", value}}).problems(),
              std::vector<std::string>{std::string("SUB0_TRACE=") + value +
                                       " (environment): expected true or false"});
  }
  for (const char* value : {"1", "true", "YES", "on"}) {
    EXPECT_TRUE(settingsOf({{"SUB0_TRACE", value}}).flag("SUB0_TRACE")) << value;
  }
  EXPECT_EQ(settingsOf({{"SUB0_TOKEN_LEEWAY", "300"}}).problems().size(), 0u);
  EXPECT_EQ(settingsOf({{"SUB0_TOKEN_LEEWAY", "301"}}).problems().size(), 1u);
  EXPECT_EQ(settingsOf({{"SUB0_TOKEN_LEEWAY", "-1"}}).problems().size(), 1u);
}

TEST(Settings, ANumberTellsItsRangeInItsText) {
  const auto text_of = [](std::string_view name) {
    for (const auto& declared : hostSettings()) {
      if (declared.name == name) return declared.text;
    }
    return std::string();
  };
  EXPECT_EQ(text_of("SUB0_POOL_THREADS"), "threads for work that blocks; from 1 to 256");
  EXPECT_EQ(text_of("SUB0_PONG_DEADLINE_MS"), "Time to answer a ping.") << "no bound but 1";
  EXPECT_EQ(text_of("SUB0_ADMIN_HOST"), "address of SUB0_ADMIN_PORT");
}

// No request would ever reach "//chat".
TEST(Settings, AnEndpointBehindASlashIsAProblem) {
  EXPECT_EQ(settingsOf({{"WEBSOCKET_ENDPOINT", "/chat"}}).problems(),
            std::vector<std::string>{
                "WEBSOCKET_ENDPOINT=/chat (environment): leave out the slash at its beginning"});
  for (const std::string taken : {"healthz", "readyz", "_sub0/x"}) {
    EXPECT_EQ(
        settingsOf({{"WEBSOCKET_ENDPOINT", taken}}).problems(),
        std::vector<std::string>{"WEBSOCKET_ENDPOINT=" + taken +
                                 " (environment): the host has that route itself; choose another"});
  }
  EXPECT_TRUE(settingsOf({{"WEBSOCKET_ENDPOINT", "live/chat"}}).problems().empty());
}

TEST(Settings, ANameOfOursThatNoSettingHasIsToldWithoutItsValue) {
  const Settings settings = settingsOf({}, {{"SUB0_LOOP", "secret"}, {"OTHER", "1"}});
  EXPECT_EQ(settings.strangers({"SUB0_LOOPS", "SUB0_XYZZY", "HOME"}),
            (std::vector<std::string>{
                "SUB0_XYZZY (environment): no setting has this name",
                "SUB0_LOOP (.env): no setting has this name; did you mean SUB0_LOOPS?"}));
}

// Poco reads a folder for ever.
TEST(Settings, APropertiesFileThatIsNoneIsAProblem) {
  const struct {
    const char* path;
    const char* what;
  } kCases[] = {{"/tmp", "it is a folder; name the file in it"},
                {"/dev/zero", "it is larger than 1 MiB"},
                {"/no/such/file", "No such file or directory"},
                {"/dev/null", ""}};
  for (const auto& each : kCases) {
    const Settings settings({}, nullptr, each.path);
    const std::vector<std::string> expected{std::string(each.path) +
                                            ": cannot be read: " + each.what};
    EXPECT_EQ(settings.problems(), *each.what == 0 ? std::vector<std::string>{} : expected);
  }
}

}  // namespace
}  // namespace sub0::app
