// SPDX-License-Identifier: Apache-2.0
#include "call/trace.hpp"

#include <gtest/gtest.h>

#include "base/log.hpp"
#include "tests/unit/call/call_rig.hpp"

namespace sub0::call::test {
namespace {

std::string& written() {
  static std::string lines;
  return lines;
}

/// A rig whose calls are traced, unless `trace` is false; the log goes to written().
class Traced : public ::testing::Test {
 protected:
  void SetUp() override {
    written().clear();
    log::configure(log::Format::kJson, log::Level::kInfo);
    log::setSink([](std::string_view line) { written().append(line); });
  }
  void TearDown() override {
    log::setSink(nullptr);
    log::configure(log::Format::kText, log::Level::kInfo);
  }

  static void use(CallRig& rig, bool trace = true) {
    Options options;
    options.deadline_ms = 1000;
    options.trace = trace;
    rig.calls =
        std::make_unique<Calls>(rig.rig.loop, rig.rig.tickets, rig.transport, rig.plans, options);
    rig.rig.host.setBroadcastSink(0, rig.calls.get());
  }
  static std::string actions(const std::string& list) {
    return R"({"id": "r", "resource": "route", "actionables": [)" + list + "]}";
  }
};

TEST_F(Traced, ACallIsOneLineWithItsActionsAndTypesButNoValue) {  // Q-18
  CallRig rig(actions(
      R"({"id": 1, "mode": "STEP", "step": {"name": "a", "input": ["$PAYLOAD.secret"]}},
         {"id": 2, "mode": "STEP", "step": {"name": "b", "input": "$PAYLOAD.secret"}})"));
  use(rig);
  rig.script.runs["a"] = [&](const sub0_run& run) {
    rig.rig.io.clock_ns += 1'500'000;
    rig.script.complete(run.ticket, R"([{"a": "of a row"}, {"a": 2}, {"a": 3}])");
  };
  Request request = rig.socketRequest("route", R"({"secret": "of a client"})", "u1");
  request.connection_number = 42;
  rig.dispatch(request);
  EXPECT_EQ(written(),
            R"({"event":"trace","level":"info","message":"call","resource":"r",)"
            R"("transport":"websocket","connection":42,"code":"ok","duration_us":1500,"steps":[)"
            R"({"id":1,"mode":"STEP","plugin":"test.script","types":["array"],"code":"ok",)"
            R"("duration_us":1500,"rows":3},)"
            R"({"id":2,"mode":"STEP","plugin":"test.script","types":["text"],"code":"ok",)"
            R"("duration_us":0}]})"
            "\n");
}

TEST_F(Traced, TypesAreThoseOfJson) {
  for (const auto& [value, type] :
       std::vector<std::pair<std::string, std::string>>{{"null", "null"},
                                                        {"true", "boolean"},
                                                        {"7", "integer"},
                                                        {"0.5", "number"},
                                                        {"18446744073709551615", "number"},
                                                        {"\"x\"", "text"},
                                                        {"[1]", "array"},
                                                        {"{\"a\":1}", "object"}}) {
    CallRig rig(
        actions(R"({"id": 1, "mode": "STEP", "step": {"name": "a", "input": "$PAYLOAD.x"}})"));
    use(rig);
    written().clear();
    rig.dispatch(rig.request("r", "{\"x\":" + value + "}"));
    EXPECT_NE(written().find("\"types\":[\"" + type + "\"]"), std::string::npos) << written();
  }
}

TEST_F(Traced, ACallThatAGateRefusesHasNoSteps) {
  CallRig rig(actions(R"({"id": 1, "mode": "STEP", "step": {"name": "a"}})"), false);
  use(rig);
  Request request = rig.request("r");
  request.method = "GET";
  rig.dispatch(request);
  EXPECT_EQ(written(),
            R"({"event":"trace","level":"info","message":"call","resource":"r",)"
            R"("transport":"http","connection":0,"code":"method_not_allowed","duration_us":0,)"
            R"("steps":[]})"
            "\n");
}

TEST_F(Traced, AFailedActionEndsTheStepsByItsCode) {
  CallRig rig(actions(R"({"id": 1, "mode": "STEP", "step": {"name": "a"}},
                         {"id": 2, "mode": "STEP", "step": {"name": "b"}})"));
  use(rig);
  rig.script.runs["a"] = [&](const sub0_run& run) {
    rig.script.fail(run.ticket, Code::kConstraint, "email already exists");
  };
  rig.dispatch(rig.request("r"));
  EXPECT_NE(written().find(R"("code":"constraint","duration_us":0,"steps":[{"id":1,"mode":"STEP",)"
                           R"("plugin":"test.script","types":[],"code":"constraint",)"
                           R"("duration_us":0}]})"),
            std::string::npos)
      << written();
  EXPECT_EQ(written().find("email"), std::string::npos);
}

TEST_F(Traced, AnActionPastItsDeadlineIsATimeout) {
  CallRig rig(actions(R"({"id": 1, "mode": "STEP", "step": {"name": "a"}})"));
  use(rig);
  rig.script.runs["a"] = [](const sub0_run&) {};
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(written(), "");
  rig.pass(1100);
  EXPECT_NE(written().find(R"("code":"timeout","duration_us":1100000,"steps":[{"id":1,)"),
            std::string::npos)
      << written();
  EXPECT_NE(written().find(R"("code":"timeout","duration_us":1100000}]})"), std::string::npos);
}

TEST_F(Traced, ASkippedActionSaysSo) {  // spec S-87
  CallRig rig(actions(
      R"({"id": 1, "mode": "STEP", "step": {"name": "a"}},
         {"id": 2, "mode": "STEP", "step": {"name": "b"}, "depends_on": [{"resource_id": "self",
          "action_ids": [1], "extract_response_for": [{"extract": "x", "for": "y"}]}]})"));
  use(rig);
  rig.dispatch(rig.request("r"));
  EXPECT_NE(written().find(R"("rows":0},{"id":2,"skipped":true}]})"), std::string::npos)
      << written();
}

TEST_F(Traced, EffectsFollowTheirActionsAndAreNotInTheTimeOfTheReply) {
  CallRig rig(actions(
      R"({"id": 1, "mode": "STEP", "step": {"name": "a"}, "after": {"name": "e", "input": 5}})"));
  use(rig);
  rig.script.runs["e"] = [&](const sub0_run& run) {
    rig.rig.io.clock_ns += 3'000;
    rig.script.complete(run.ticket, "null");
  };
  rig.dispatch(rig.request("r"));
  EXPECT_NE(written().find(R"("code":"ok","duration_us":0,"steps":[{"id":1,"mode":"STEP",)"),
            std::string::npos)
      << written();
  EXPECT_NE(written().find(R"({"id":1,"effect":"after","plugin":"test.script",)"
                           R"("types":["integer"],"code":"ok","duration_us":3}]})"),
            std::string::npos)
      << written();
}

TEST_F(Traced, TheNextCallBeginsAnew) {
  CallRig rig(actions(R"({"id": 1, "mode": "STEP", "step": {"name": "a"}})"));
  use(rig);
  rig.dispatch(rig.request("r"));
  const std::string first = written();
  written().clear();
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(written(), first);
}

TEST_F(Traced, ATextLineHoldsTheSame) {
  log::configure(log::Format::kText, log::Level::kInfo);
  CallRig rig(actions(R"({"id": 1, "mode": "STEP", "step": {"name": "a"}})"));
  use(rig);
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(written(),
            R"(sub0: call (resource=r, transport=http, connection=0, code=ok, duration_us=0, )"
            R"(steps=[{"id":1,"mode":"STEP","plugin":"test.script","types":[],"code":"ok",)"
            R"("duration_us":0,"rows":0}]))"
            "\n");
}

TEST_F(Traced, WithoutTheSettingNothingIsWritten) {
  CallRig rig(actions(R"({"id": 1, "mode": "STEP", "step": {"name": "a"}})"));
  use(rig, false);
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(written(), "");
}

}  // namespace
}  // namespace sub0::call::test
