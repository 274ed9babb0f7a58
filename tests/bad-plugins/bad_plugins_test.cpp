// SPDX-License-Identifier: Apache-2.0
// Each bad plugin, and exactly what the host makes of it.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/log.hpp"
#include "plugin/inspect.hpp"
#include "tests/bad-plugins/ends_late.h"
#include "tests/unit/plugin/rig.hpp"

namespace sub0::plugin {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::mutex log_mutex;
std::string logged;

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
    fs::remove_all(folder_);
  }

  std::string put(const std::string& name, const std::string& as = {}) {
    const std::string path = folder_ + "/" + (as.empty() ? name : as) + ".so";
    fs::copy_file(fs::path(BAD_PLUGINS_DIR) / (name + ".so"), path);
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
    EXPECT_THAT(registry.plugins(), IsEmpty());
    EXPECT_TRUE(registry.hasErrors());
    EXPECT_THAT(registry.problems(), SizeIs(1));
    EXPECT_EQ(registry.problems().at(0).file, folder_ + "/" + name + ".so");
    return registry.problems().at(0).message;
  }

  std::string folder_;
};

//
TEST_F(BadPlugins, AGoodOneIsLoadedWithoutAWord) {
  put("good");
  Registry registry;
  load(registry);
  EXPECT_THAT(registry.problems(), IsEmpty());
  ASSERT_NE(registry.findMode("GOOD"), nullptr);
  EXPECT_EQ(registry.plugins().at(0)->id, "test.good");
  EXPECT_EQ(registry.findEffect("good"), nullptr);
}

//
TEST_F(BadPlugins, NoElfFileIsRefused) {
  std::ofstream(folder_ + "/text.so") << "this is a text, not a plugin\n";
  std::ofstream(folder_ + "/empty.so");
  Registry registry;
  load(registry);
  ASSERT_THAT(registry.problems(), SizeIs(2));
  EXPECT_THAT(registry.problems()[0].message, HasSubstr("not an ELF file"));
  EXPECT_THAT(registry.problems()[1].message, HasSubstr("not an ELF file"));
}

//
TEST_F(BadPlugins, OtherArchitectureIsRefusedWithBothNamed) {
  const std::string path = put("good");
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offsetof(Elf64_Ehdr, e_machine));
  const char s390[] = {EM_S390, 0};
  file.write(s390, 2);
  file.close();
  Registry registry;
  load(registry);
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_THAT(registry.problems()[0].message, HasSubstr("is built for s390x; this host runs on"));
}

//
TEST_F(BadPlugins, WhatHasNoEntryOrNoCardIsRefused) {
  EXPECT_THAT(refusal("no_entry"), HasSubstr("does not export its entry sub0_plugin_v0"));
  fs::remove(folder_ + "/no_entry.so");
  EXPECT_THAT(refusal("no_card"), HasSubstr("has no card"));
}

// their static constructors would end the process, so nothing of them has run
TEST_F(BadPlugins, WrongVersionsAreRefusedBeforeAnythingRuns) {
  const std::string ours =
      "this host offers " + std::to_string(SUB0_ABI_MAJOR) + "." + std::to_string(SUB0_ABI_MINOR);
  EXPECT_THAT(refusal("wrong_major"), AllOf(HasSubstr("needs plugin ABI 7.0"), HasSubstr(ours)));
  fs::remove(folder_ + "/wrong_major.so");
  EXPECT_THAT(refusal("minor_too_new"),
              AllOf(HasSubstr("needs plugin ABI 0.999"), HasSubstr(ours)));
}

//
TEST_F(BadPlugins, CardAndDescriptorThatDifferAreRefused) {
  EXPECT_THAT(refusal("card_differs"), AllOf(HasSubstr("card says test.card-differs 1.0.0"),
                                             HasSubstr("descriptor says test.card-differs 2.0.0")));
}

//
TEST_F(BadPlugins, NullSlotIsRefusedByName) {
  EXPECT_THAT(refusal("null_slot"), HasSubstr("slot cancel is null"));
}

//
TEST_F(BadPlugins, SecondOfferOfAModeIsAnErrorAndTheFirstStays) {
  put("good", "a");
  put("duplicate_mode", "b");
  Registry registry;
  load(registry);
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_EQ(registry.problems()[0].severity, Severity::kError);
  EXPECT_THAT(registry.problems()[0].message,
              AllOf(HasSubstr("test.duplicate-mode offers mode GOOD"), HasSubstr("test.good")));
  ASSERT_NE(registry.findMode("GOOD"), nullptr);
  EXPECT_EQ(registry.findMode("GOOD")->plugin->id, "test.good");
  EXPECT_THAT(registry.handlers(), SizeIs(1));
}

//
TEST_F(BadPlugins, SameIdTwiceIsTheFirstWithAWarning) {
  put("good", "a");
  put("same_id", "b");
  Registry registry;
  load(registry);
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_EQ(registry.problems()[0].severity, Severity::kWarning);
  EXPECT_NE(registry.findMode("GOOD"), nullptr);
  EXPECT_EQ(registry.findMode("SAME_ID"), nullptr);
}

//
TEST_F(BadPlugins, WithSkipTheOthersLoad) {
  put("good");
  put("wrong_major");
  put("null_slot");
  Registry registry;
  load(registry, {.skip_errors = true});
  EXPECT_FALSE(registry.hasErrors());
  EXPECT_THAT(registry.problems(), SizeIs(2));
  EXPECT_THAT(registry.plugins(), SizeIs(1));
}

//
TEST_F(BadPlugins, WritableByOthersIsRefusedInPackagedFoldersAndWarnedOfElsewhere) {
  ::chmod(put("good").c_str(), 0777);
  Registry packaged;
  load(packaged);
  EXPECT_THAT(packaged.plugins(), IsEmpty());
  ASSERT_THAT(packaged.problems(), SizeIs(1));
  EXPECT_EQ(packaged.problems()[0].severity, Severity::kError);
  EXPECT_THAT(packaged.problems()[0].message, HasSubstr("writable by everybody"));

  Registry named;
  load(named, {}, false);
  EXPECT_THAT(named.plugins(), SizeIs(1));
  ASSERT_THAT(named.problems(), SizeIs(1));
  EXPECT_EQ(named.problems()[0].severity, Severity::kWarning);
}

//
TEST_F(BadPlugins, FolderWritableByOthersIsRefusedAsWell) {
  put("good");
  ::chmod(folder_.c_str(), 0777);
  Registry registry;
  load(registry);
  EXPECT_THAT(registry.plugins(), IsEmpty());
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_THAT(registry.problems()[0].message, HasSubstr("lies in"));
}

//
TEST_F(BadPlugins, LinkOutOfTheFolderIsRefused) {
  const std::string inside = folder_ + "/plugins";
  fs::create_directory(inside);
  fs::create_symlink(put("good"), inside + "/good.so");
  Registry registry;
  registry.loadFolders({{inside, false}});
  EXPECT_THAT(registry.plugins(), IsEmpty());
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_THAT(registry.problems()[0].message, HasSubstr("outside of the plugin folder"));
}

/// Runs one action of a bad plugin once.
class BadRuns : public BadPlugins {
 protected:
  sub0_run& runOnce(const std::string& file, const std::string& mode, RunState expected) {
    put(file);
    load(rig_.registry);
    EXPECT_THAT(rig_.registry.problems(), IsEmpty());
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

//
TEST_F(BadRuns, ThrowInPrepareIsAnErrorOfThatPlugin) {
  put("throws_in_prepare");
  put("good");
  load(rig_.registry);
  ASSERT_TRUE(rig_.start());
  EXPECT_EQ(rig_.prepared("THROWS_IN_PREPARE"), nullptr);
  ASSERT_THAT(rig_.problems, SizeIs(1));
  EXPECT_THAT(rig_.problems[0].message,
              HasSubstr("internal fault in plugin test.throws-in-prepare"));
  EXPECT_THAT(logged, AllOf(HasSubstr("boom in prepare"), HasSubstr("THROWS_IN_PREPARE")));
  EXPECT_NE(rig_.prepared("GOOD"), nullptr);
}

//
TEST_F(BadRuns, ThrowInRunFailsTheRunAsInternal) {
  const sub0_run& run = runOnce("throws_in_run", "THROWS_IN_RUN", RunState::kSettled);
  EXPECT_EQ(rig_.tickets.outcome(run.ticket).code, Code::kInternal);
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
  EXPECT_EQ(counters().exceptions.load(), 1U);
  EXPECT_THAT(logged, AllOf(HasSubstr("test.throws-in-run"), HasSubstr("THROWS_IN_RUN"),
                            HasSubstr("test-resource")));
}

//
TEST_F(BadRuns, RunThatNobodyEndsIsGivenUpAndCounted) {
  const sub0_run& run = runOnce("never_ends", "NEVER", RunState::kPending);
  rig_.loop.turn(0);
  EXPECT_FALSE(rig_.tickets.isSettled(run.ticket));
  EXPECT_FALSE(rig_.tickets.abandon(run.ticket));  // its inputs must live on
  EXPECT_EQ(counters().never_ended.load(), 1U);
  EXPECT_EQ(counters().abandoned.load(), 1);
  EXPECT_THAT(logged, HasSubstr("test.never-ends"));
}

//
TEST_F(BadRuns, SecondEndIsStaleAndTheFirstCounts) {
  const sub0_run& run = runOnce("ends_twice", "TWICE", RunState::kSettled);
  EXPECT_EQ(rig_.tickets.outcome(run.ticket).value.as.i, 1);
  EXPECT_EQ(counters().double_ends.load(), 1U);
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
}

//
TEST_F(BadRuns, EndFromAThreadComesByTheMailbox) {
  const sub0_run& run = runOnce("ends_late", "LATE", RunState::kPending);
  const auto* late =
      static_cast<const ends_late*>(rig_.registry.extension(ENDS_LATE_EXTENSION).table);
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->end_from_thread(), SUB0_OK);
  EXPECT_THAT(rig_.owner.settled, IsEmpty());
  rig_.loop.turn(0);
  ASSERT_THAT(rig_.owner.settled, SizeIs(1));
  EXPECT_EQ(rig_.tickets.outcome(run.ticket).value.as.i, 7);
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
}

//
TEST_F(BadRuns, EndAfterTheDeadlineIsStaleAndFreesTheRun) {
  const sub0_run& run = runOnce("ends_late", "LATE", RunState::kPending);
  EXPECT_FALSE(rig_.tickets.abandon(run.ticket));
  const auto* late =
      static_cast<const ends_late*>(rig_.registry.extension(ENDS_LATE_EXTENSION).table);
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->end_from_thread(), SUB0_STALE_TICKET);
  rig_.loop.turn(0);
  EXPECT_THAT(rig_.owner.settled, IsEmpty());
  EXPECT_EQ(rig_.owner.freed, std::vector<sub0_ticket>{run.ticket});
  EXPECT_EQ(counters().late_ends.load(), 1U);
  EXPECT_EQ(counters().abandoned.load(), 0);
  EXPECT_EQ(late->end_from_thread(), SUB0_STALE_TICKET);
  EXPECT_EQ(rig_.tickets.openCount(), 0U);
}

//
TEST_F(BadRuns, BrokenPromiseToEndInRunFailsTheRun) {
  const sub0_run& run = runOnce("breaks_promise", "PROMISE", RunState::kSettled);
  EXPECT_EQ(rig_.tickets.outcome(run.ticket).code, Code::kInternal);
  EXPECT_EQ(counters().broken_promises.load(), 1U);
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
}

//
TEST_F(BadRuns, CreateThatFailsHalfwayIsDestroyed) {
  put("create_fails");
  load(rig_.registry);
  EXPECT_FALSE(rig_.start());
  EXPECT_TRUE(rig_.registry.hasErrors());
  EXPECT_THAT(rig_.registry.problems().back().message,
              HasSubstr("test.create-fails could not be created: no disk [unavailable"));
  EXPECT_THAT(logged, AllOf(HasSubstr("no disk"), HasSubstr("destroyed")));
}

//
TEST_F(BadPlugins, InspectLoadsInAChildAndNamesWhatIsWrong) {
  const Inspection good = inspect(put("good"));
  EXPECT_TRUE(good.is_loadable) << good.text;
  EXPECT_THAT(good.text, AllOf(HasSubstr("test.good 1.0.0"), HasSubstr("GOOD")));
  EXPECT_THAT(good.json, HasSubstr("\"loadable\":true"));

  const Inspection bad = inspect(put("null_slot"));
  EXPECT_FALSE(bad.is_loadable);
  EXPECT_THAT(bad.text, HasSubstr("slot cancel is null"));
  EXPECT_FALSE(inspect(put("wrong_major")).is_loadable);
  EXPECT_THAT(inspect(folder_ + "/none.so").text, HasSubstr("refused"));
}

}  // namespace
}  // namespace sub0::plugin
