// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sub0::log {
namespace {

std::string g_written;

class Log : public testing::Test {
 protected:
  void SetUp() override {
    g_written.clear();
    setSink([](std::string_view line) { g_written.append(line); });
  }
  void TearDown() override {
    setSink(nullptr);
    configure(Format::kText, Level::kInfo);
  }
};

TEST_F(Log, TextLinesNameLevelMessageAndFields) {
  configure(Format::kText, Level::kInfo);
  info("ready", "listening", {{"port", 8080}, {"url", "http://x"}});
  error("failed", "it broke");
  EXPECT_EQ(g_written, "sub0: listening (port=8080, url=http://x)\nsub0: error: it broke\n");
}

TEST_F(Log, JsonLinesKeepTypes) {
  configure(Format::kJson, Level::kInfo);
  warning("slow", "a \"quoted\" word", {{"ms", 12}, {"name", "a\nb"}});
  EXPECT_EQ(g_written,
            "{\"event\":\"slow\",\"level\":\"warning\",\"message\":\"a \\\"quoted\\\" word\","
            "\"ms\":12,\"name\":\"a\\u000ab\"}\n");
}

TEST_F(Log, NothingFromOutsideBreaksALine) {
  for (const auto format : {Format::kText, Format::kJson}) {
    g_written.clear();
    configure(format, Level::kInfo);
    const std::string hostile("a\r\nsub0: error: forged\x1b[2J\0\xFF", 28);
    info("event", hostile, {{"uid", hostile}});
    EXPECT_EQ(g_written.find('\n'), g_written.size() - 1);
    for (const char c : {'\r', '\x1b', '\0', '\xFF'}) {
      EXPECT_EQ(g_written.find(c), std::string::npos) << static_cast<int>(c);
    }
  }
}

TEST_F(Log, LevelsBelowTheConfiguredOneAreSilent) {
  configure(Format::kText, Level::kWarning);
  info("event", "not shown");
  debug("event", "not shown");
  EXPECT_TRUE(g_written.empty());
  EXPECT_TRUE(enabled(Level::kError));
  EXPECT_FALSE(enabled(Level::kInfo));
  configure(Format::kText, Level::kDebug);
  debug("event", "shown");
  EXPECT_FALSE(g_written.empty());
}

}  // namespace
}  // namespace sub0::log
