// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <string>

#include "base/log.hpp"
#include "tests/unit/plugin/rig.hpp"

// What the tests of bad plugins stand on: a folder with copies of those that a test names, what was
// logged, and one run of an action of theirs.
namespace sub0::plugin {

inline std::mutex log_mutex;
inline std::string logged;

/// A plugin folder that only we can write to, with copies of what a test names.
class BadPlugins : public ::testing::Test {
 protected:
  BadPlugins() {
    char pattern[] = "/tmp/sub0-bad-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    logged.clear();
    log::setSink([](std::string_view line) {
      const std::lock_guard lock(log_mutex);
      logged.append(line).append("\n");
    });
  }
  ~BadPlugins() override {
    log::setSink(nullptr);
    std::filesystem::remove_all(folder_);
  }

  std::string put(const std::string& name, const std::string& as = {}) {
    const std::string path = folder_ + "/" + (as.empty() ? name : as) + ".so";
    std::filesystem::copy_file(std::filesystem::path(BAD_PLUGINS_DIR) / (name + ".so"), path);
    ::chmod(path.c_str(), 0755);
    return path;
  }
  void load(Registry& registry, LoadOptions options = {}, bool is_packaged = true) {
    registry.loadFolders({{folder_, is_packaged}}, options);
  }
  /// The one problem of a folder that holds one refused file.
  std::string refusal(const std::string& name) {
    put(name);
    Registry registry;
    load(registry);
    EXPECT_THAT(registry.plugins(), ::testing::IsEmpty());
    EXPECT_TRUE(registry.hasErrors());
    EXPECT_THAT(registry.problems(), ::testing::SizeIs(1));
    EXPECT_EQ(registry.problems().at(0).file, folder_ + "/" + name + ".so");
    return registry.problems().at(0).message;
  }

  std::string folder_;
};

/// Runs one action of a bad plugin once.
class BadRuns : public BadPlugins {
 protected:
  sub0_run& runOnce(const std::string& file, const std::string& mode, RunState expected) {
    put(file);
    load(rig_.registry);
    EXPECT_THAT(rig_.registry.problems(), ::testing::IsEmpty());
    EXPECT_TRUE(rig_.start());
    PreparedAction* action = rig_.prepared(mode);
    EXPECT_NE(action, nullptr);
    handler_ = rig_.registry.findMode(mode);
    sub0_run& run = rig_.newRun(*action);
    EXPECT_EQ(rig_.tickets.run(run), expected);
    return run;
  }
  HandlerCounters& counters() { return handler_->counters; }

  test::Rig rig_;
  Handler* handler_ = nullptr;
};

}  // namespace sub0::plugin
