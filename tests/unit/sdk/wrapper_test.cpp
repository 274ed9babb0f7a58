// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <optional>

#define sub0_plugin_v0 wrapper_test_entry
#include <sub0/plugin.hpp>
#include <sub0/testing/fake_host.hpp>

namespace {

using sub0::Literal;
using sub0::Tree;
using sub0::testing::End;
using sub0::testing::FakeHost;

std::string trace;  // what the State saw

struct Shared {
  static constexpr sub0_setting settings[] = {
      sub0::setting("GREETING_WORD", "Hello", "The first word."),
      sub0::setting("GREETING_LIMIT", "3", "How many, in pieces.", SUB0_INT),
      sub0::setting("GREETING_KEY", "", "A secret.", SUB0_TEXT, SUB0_SETTING_SECRET),
  };
  Shared(sub0::Host given, sub0::Settings settings_given)
      : host(given),
        word(settings_given.text("GREETING_WORD")),
        limit(settings_given.integer("GREETING_LIMIT")) {
    if (word == "throw") throw std::runtime_error("no such word");
  }
  Shared(const Shared&) = delete;
  void start() {
    if (word == "late") throw std::runtime_error("not today");
    trace += "start ";
  }
  void stop(uint64_t) { trace += "stop "; }
  ~Shared() { trace += "gone "; }
  const void* extension(std::string_view name) { return name == "org.example/1" ? this : nullptr; }

  sub0::Host host;
  std::string word;
  int64_t limit;
  std::optional<sub0::Run> kept;
  std::string cancelled;
};

struct Greeting final : sub0::Handler<Greeting> {
  static constexpr auto mode = "GREETING", key = "greeting";
  static constexpr auto schema = R"({"type":"object"})";
  static constexpr auto description = "Greets.";
  static constexpr uint32_t max_running = 7;
  Greeting(sub0::Preparation& p, Shared& shared) : shared_(shared), name_(p.input("/name")) {
    p.expectMembers({"name"});
    p.readsOnly();
    p.tables({"a", "b"});
    p.placeOnPool();
  }
  void run(sub0::Run run) { run.complete({{"text", shared_.word + " " + run.text(name_)}}); }
  Shared& shared_;
  sub0::Input name_;
};

// Does what its configuration says.
struct Odd final : sub0::Handler<Odd> {
  static constexpr auto mode = "ODD", key = "odd";
  Odd(sub0::Preparation& p, Shared& shared) : shared_(shared), what_(p.config().asText()) {
    if (what_ == "throw in prepare") throw std::runtime_error("cannot");
    if (what_ == "throw 7 in prepare") throw 7;
    if (what_ == "two errors") {
      p.error("/a", "first");
      p.error("/b", "second");
    }
  }
  void run(sub0::Run run) {
    if (what_ == "throw") throw std::runtime_error("the reason");
    if (what_ == "throw 7") throw 7;
    if (what_ == "throw and catch") {
      try {
        const sub0::Run taken(std::move(run));
        throw std::runtime_error("caught");
      } catch (const std::exception&) {
        return;
      }
    }
    if (what_ == "keep") shared_.kept = std::move(run);
    if (what_ == "keep and throw") {
      shared_.kept = std::move(run);
      throw std::runtime_error("after keeping");
    }
    if (what_ == "blob") run.completeBlob(Tree({{"list", Literal::array({1, 2})}}));
    if (what_ == "fail") run.fail(SUB0_NOT_FOUND, "for the caller", "for the log");
    if (what_ == "twice") {
      const sub0_ticket ticket = run.ticket();
      run.complete();
      const sub0_value value = Literal(2).raw();
      shared_.host.raw()->complete(shared_.host.raw(), ticket, &value);
    }
    if (what_ == "look")
      run.complete({{"uid", run.hasUid() ? Literal(run.uid()) : Literal()},
                    {"resource", run.resource()},
                    {"action", run.action()},
                    {"read_only", run.readOnly()},
                    {"deadline", run.deadlineNs()},
                    {"inputs", run.inputs()}});
  }
  void cancel(sub0_ticket ticket) noexcept { shared_.cancelled += std::to_string(ticket); }
  Shared& shared_;
  std::string what_;
};

struct Echo final : sub0::Handler<Echo> {
  static constexpr auto effect = "echo_effect";
  static constexpr uint32_t flags = SUB0_COMPLETES_IN_RUN;
  explicit Echo(sub0::Preparation& p) : payload_(p.inputOf("$PAYLOAD")) {}
  void run(sub0::Run run) {
    run.complete(
        {{"result", run.input(sub0::Preparation::result())}, {"payload", run.input(payload_)}});
  }
  sub0::Input payload_;
};

}  // namespace

SUB0_PLUGIN_WITH(Shared, "org.example.wrapper", "1.2.3", Greeting, Odd, Echo)

namespace {

Shared& stateOf(FakeHost& host) {
  return *static_cast<Shared*>(const_cast<void*>(host.pluginExtension("org.example/1")));
}

End runOdd(FakeHost& host, const char* what) { return host.prepare("ODD", Literal(what)).run(); }

TEST(PluginWrapper, DescribesHandlersAndSettings) {
  const sub0_plugin& plugin = *wrapper_test_entry();
  EXPECT_EQ(plugin.struct_size, sizeof(sub0_plugin));
  EXPECT_EQ(sub0::stringView(plugin.id), "org.example.wrapper");
  EXPECT_EQ(sub0::stringView(plugin.version), "1.2.3");
  EXPECT_EQ(plugin.abi_minor, SUB0_ABI_MINOR);
  ASSERT_EQ(plugin.handler_count, 3U);
  ASSERT_EQ(plugin.setting_count, 3U);
  EXPECT_EQ(sub0::stringView(plugin.settings[2]->name), "GREETING_KEY");
  EXPECT_EQ(plugin.settings[2]->flags, SUB0_SETTING_SECRET);
  const sub0_handler& greeting = *plugin.handlers[0];
  EXPECT_EQ(greeting.kind, SUB0_MODE);
  EXPECT_EQ(sub0::stringView(greeting.config_key), "greeting");
  EXPECT_EQ(sub0::stringView(greeting.description), "Greets.");
  EXPECT_EQ(greeting.max_running, 7U);
  EXPECT_EQ(greeting.placement, SUB0_PLACE_LOOP);
  const sub0_handler& echo = *plugin.handlers[2];
  EXPECT_EQ(echo.kind, SUB0_EFFECT);
  EXPECT_EQ(sub0::stringView(echo.name), "echo_effect");
  EXPECT_EQ(sub0::stringView(echo.config_key), "echo_effect");
  EXPECT_EQ(echo.flags, SUB0_COMPLETES_IN_RUN);
}

TEST(PluginWrapper, StateIsMadeFromSettingsAndLivesThroughItsLife) {
  trace.clear();
  {
    FakeHost host(wrapper_test_entry(), {{"GREETING_LIMIT", 9}});
    EXPECT_EQ(stateOf(host).word, "Hello");
    EXPECT_EQ(stateOf(host).limit, 9);
    EXPECT_EQ(host.pluginExtension("org.example/2"), nullptr);
  }
  EXPECT_EQ(trace, "start stop gone ");
}

TEST(PluginWrapper, ExceptionsAtCreationAndStartAreLoggedAndReturned) {
  FakeHost failing(wrapper_test_entry(), {{"GREETING_WORD", "throw"}});
  EXPECT_EQ(failing.create_code, SUB0_INTERNAL);
  EXPECT_EQ(failing.logs, std::vector<std::string>{"1 no such word"});
  FakeHost late(wrapper_test_entry(), {{"GREETING_WORD", "late"}});
  EXPECT_EQ(late.create_code, SUB0_OK);
  EXPECT_EQ(late.start_code, SUB0_INTERNAL);
}

TEST(Preparation, DeclaresInputsFactsPlacementAndWarnings) {
  FakeHost host(wrapper_test_entry());
  auto action = host.prepare("GREETING", {{"name", "$PAYLOAD.name"}, {"odd/key", 1}});
  EXPECT_EQ(action.code, SUB0_OK);
  EXPECT_EQ(action.pointers, std::vector<std::string>{"/name"});
  EXPECT_EQ(action.placement, SUB0_PLACE_POOL);
  EXPECT_TRUE(action.facts["reads_only"].view().asBool());
  EXPECT_EQ(action.facts["tables"].view()[1].asText(), "b");
  ASSERT_EQ(action.warnings.size(), 1U);
  EXPECT_EQ(action.warnings[0].pointer, "/odd~1key");
  action.give("$PAYLOAD.name", Literal("Ada"));
  EXPECT_EQ(action.run().value.find("text").asText(), "Hello Ada");
}

TEST(Preparation, ErrorsExceptionsAndRefusedInputsFailIt) {
  FakeHost host(wrapper_test_entry());
  auto two = host.prepare("ODD", Literal("two errors"));
  EXPECT_EQ(two.code, SUB0_VALIDATION_FAILED);
  ASSERT_EQ(two.errors.size(), 2U);
  EXPECT_EQ(two.errors[1].pointer, "/b");
  EXPECT_FALSE(two.isReady());
  auto thrown = host.prepare("ODD", Literal("throw in prepare"));
  EXPECT_EQ(thrown.code, SUB0_INTERNAL);
  ASSERT_EQ(thrown.errors.size(), 1U);
  EXPECT_EQ(thrown.errors[0].text, "cannot");
  EXPECT_EQ(host.prepare("ODD", Literal("throw 7 in prepare")).errors.size(), 1U);
  EXPECT_NE(host.prepare("GREETING", Tree::object()).code, SUB0_OK);
}

TEST(Run, ExceptionsEndItAsInternalOnce) {
  FakeHost host(wrapper_test_entry());
  for (const char* what : {"throw", "throw 7"}) {
    const End end = runOdd(host, what);
    EXPECT_EQ(end.times, 1) << what;
    EXPECT_EQ(end.code, SUB0_INTERNAL) << what;
    EXPECT_EQ(end.client, "") << what;
    EXPECT_EQ(end.log, std::string_view(what) == "throw" ? "the reason"
                                                         : "the handler threw something unknown");
  }
  EXPECT_TRUE(host.logs.empty()) << host.logs[0];  // it did not drop the run
}

TEST(Run, DroppedWithoutAnEndIsInternal) {
  FakeHost host(wrapper_test_entry());
  for (const char* what : {"nothing", "throw and catch"}) {
    const End end = runOdd(host, what);
    EXPECT_EQ(end.times, 1) << what;
    EXPECT_EQ(end.code, SUB0_INTERNAL) << what;
    EXPECT_EQ(end.log, "the handler dropped the run without an end") << what;
  }
}

TEST(Run, MovedOutIsEndedLaterFromAnotherThread) {
  FakeHost host(wrapper_test_entry());
  auto action = host.prepare("ODD", Literal("keep"));
  const sub0_ticket ticket = action.begin();
  EXPECT_FALSE(host.end(ticket).came());
  std::thread([&] { stateOf(host).kept->complete("late"); }).join();
  const End end = host.wait(ticket);
  EXPECT_TRUE(end.isOk());
  EXPECT_EQ(end.value.view().asText(), "late");
  EXPECT_FALSE(stateOf(host).kept->isOpen());
  stateOf(host).kept.reset();
  EXPECT_EQ(host.end(ticket).times, 1);
}

TEST(Run, AnExceptionAfterItWasMovedOutEndsItWithTheReason) {
  FakeHost host(wrapper_test_entry());
  auto action = host.prepare("ODD", Literal("keep and throw"));
  const sub0_ticket ticket = action.begin();
  EXPECT_EQ(host.end(ticket).code, SUB0_INTERNAL);
  EXPECT_EQ(host.end(ticket).log, "after keeping");
  stateOf(host).kept->detach();
}

TEST(Run, ABlobIsHandedOverAndReleased) {
  FakeHost host(wrapper_test_entry());  // the address sanitizer sees a release that is missing
  EXPECT_EQ(runOdd(host, "blob").value.find("list")[1].asInt(), 2);
}

TEST(Run, FailsWithACodeAndTwoTexts) {
  FakeHost host(wrapper_test_entry());
  const End end = runOdd(host, "fail");
  EXPECT_EQ(end.code, SUB0_NOT_FOUND);
  EXPECT_EQ(end.client, "for the caller");
  EXPECT_EQ(end.log, "for the log");
}

TEST(Run, ASecondEndIsCountedByTheFakeHost) {
  FakeHost host(wrapper_test_entry());
  const End end = runOdd(host, "twice");
  EXPECT_EQ(end.times, 2);
  EXPECT_FALSE(end.isOk());
  EXPECT_TRUE(end.value.view().isNull()) << "the first one counts";
}

TEST(Run, ShowsItsCall) {
  FakeHost host(wrapper_test_entry());
  auto action = host.prepare("ODD", Literal("look"));
  EXPECT_TRUE(action.run().value.find("uid").isNull());
  action.uid = "user_1";
  action.has_uid = true;
  action.label = "balance_check";
  action.run_flags = SUB0_RUN_READ_ONLY;
  action.deadline_ns = 12;
  const End end = action.run();
  EXPECT_EQ(end.value.find("uid").asText(), "user_1");
  EXPECT_EQ(end.value.find("action").asText(), "balance_check");
  EXPECT_EQ(end.value.find("resource").asText(), "test");
  EXPECT_TRUE(end.value.find("read_only").asBool());
  EXPECT_EQ(end.value.find("deadline").asInt(), 12);
  EXPECT_EQ(end.value.find("inputs").asInt(), 0);
}

TEST(Run, CancelReachesTheHandler) {
  FakeHost host(wrapper_test_entry());
  auto odd = host.prepare("ODD", Literal("keep"));
  const sub0_ticket ticket = odd.begin();
  odd.cancel(ticket);
  EXPECT_EQ(stateOf(host).cancelled, std::to_string(ticket));
  stateOf(host).kept.reset();
  host.prepare("GREETING", {{"name", "x"}}).cancel(1);  // a handler without one ignores it
}

TEST(Effect, GetsTheResultAsItsFirstInput) {
  FakeHost host(wrapper_test_entry());
  auto action = host.prepare("echo_effect", Tree::object());
  action.give("result", Literal(5));
  action.give("$PAYLOAD", Literal("p"));
  const End end = action.run();
  EXPECT_EQ(end.value.find("result").asInt(), 5);
  EXPECT_EQ(end.value.find("payload").asText(), "p");
}

}  // namespace
