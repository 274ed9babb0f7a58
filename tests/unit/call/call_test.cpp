// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "tests/unit/call/call_rig.hpp"

namespace sub0::call::test::call_test {
namespace {

std::string step(int id, const std::string& name, const std::string& more = "") {
  return stepWith(id, name, R"({"n": )" + std::to_string(id) + "}", more);
}

TEST(Call, RepliesWithTheLastResult) {
  CallRig rig(resourceText(step(1, "a") + "," + step(2, "b")));
  rig.dispatch(rig.request("route"));
  EXPECT_EQ(rig.transport.log, Lines{R"(200 {"n":2})"});  // spec S-23
  EXPECT_EQ(rig.calls->openCount(), 0u);
}

TEST(Call, IsFoundByRouteAndByIdExactly) {
  CallRig rig(resourceText(step(1, "a")));
  for (const char* name : {"route", "r"}) rig.dispatch(rig.request(name));
  for (const char* name : {"Route", "route/", "R", ""}) rig.dispatch(rig.request(name));
  // spec S-11: routes match exactly
  EXPECT_EQ(rig.transport.log, (Lines{R"(200 {"n":1})", R"(200 {"n":1})", "404 not_found -",
                                      "404 not_found -", "404 not_found -", "404 not_found -"}));
}

// spec S-20: dependencies first, each action once, no_op only where it is needed
TEST(Call, RunsDependenciesFirstAndEachActionOnce) {
  const std::string depends = R"("depends_on": [{"resource_id": "self", "action_ids": [3]}])";
  CallRig rig(resourceText(step(1, "one", depends) + "," + step(2, "two", depends) + "," +
                           step(3, "three", R"("no_op": true)") + "," +
                           step(4, "four", R"("no_op": true)")));
  std::string order;
  for (const char* name : {"one", "two", "three", "four"}) {
    rig.script.runs[name] = [&, name](const sub0_run& run) {
      order += std::string(name) + " ";
      rig.script.complete(run.ticket, "1");
    };
  }
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(order, "three one two ");
}

TEST(Call, WaitsForARunThatEndsLater) {
  CallRig rig(resourceText(step(1, "slow") + "," + step(2, "b")));
  sub0_ticket ticket = 0;
  rig.script.runs["slow"] = [&](const sub0_run& run) { ticket = run.ticket; };
  rig.dispatch(rig.request("r"));
  EXPECT_TRUE(rig.transport.log.empty());
  EXPECT_EQ(rig.calls->openCount(), 1u);
  rig.script.complete(ticket, "5");
  rig.turn();
  EXPECT_EQ(rig.transport.log, Lines{R"(200 {"n":2})"});
  EXPECT_EQ(rig.calls->openCount(), 0u);
}

// spec S-22: a failing action ends the call, what follows does not run
TEST(Call, AFailingActionEndsTheCallWithItsError) {
  CallRig rig(resourceText(step(1, "bad") + "," + step(2, "never")));
  rig.script.runs["bad"] = [&](const sub0_run& run) {
    rig.script.fail(run.ticket, Code::kConstraint, "Operation Failed: email already exists");
  };
  rig.script.runs["never"] = [&](const sub0_run&) { FAIL(); };
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, Lines{"500 constraint -"});
  EXPECT_EQ(rig.transport.messages, Lines{"Operation Failed: email already exists"});
}

// spec S-25: without a row the call ends with no_value
TEST(Call, MustReturnValueEndsACallWithoutARow) {
  for (const char* nothing : {"null", "[]"}) {
    CallRig rig(
        resourceText(step(1, "a", R"("must_return_value": true)") + "," + step(2, "never")));
    rig.script.runs["a"] = [&](const sub0_run& run) { rig.script.complete(run.ticket, nothing); };
    rig.script.runs["never"] = [&](const sub0_run&) { FAIL(); };
    rig.dispatch(rig.request("r"));
    EXPECT_EQ(rig.transport.log, Lines{"500 no_value -"}) << nothing;
  }
}

// spec S-87: what depends on a missing row does not run, and so down the chain; the call goes on
TEST(Call, SkipsWhatDependsOnAMissingRow) {
  const auto on = [](int id) {
    return R"("depends_on": [{"resource_id": "self", "action_ids": [)" + std::to_string(id) +
           R"(], "extract_response_for": [{"extract": "x", "for": "v)" + std::to_string(id) +
           R"("}]}])";
  };
  CallRig rig(resourceText(step(1, "none") + "," + step(2, "skipped", on(1)) + "," +
                           step(3, "skipped", on(2)) + "," + step(4, "last")));
  rig.script.runs["none"] = [&](const sub0_run& run) { rig.script.complete(run.ticket, "null"); };
  rig.script.runs["skipped"] = [&](const sub0_run&) { FAIL(); };
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, Lines{R"(200 {"n":4})"});
}

TEST(Call, AtItsDeadlineItIsAnsweredAndThePluginTold) {
  CallRig rig(resourceText(step(1, "never")));
  sub0_ticket ticket = 0;
  rig.script.runs["never"] = [&](const sub0_run& run) { ticket = run.ticket; };
  rig.dispatch(rig.request("r"));
  rig.pass(999);
  EXPECT_TRUE(rig.transport.log.empty());
  rig.pass(3);
  rig.turn();
  EXPECT_EQ(rig.transport.log, Lines{"504 timeout -"});
  EXPECT_EQ(rig.script.cancelled, std::vector<sub0_ticket>{ticket});
  EXPECT_EQ(rig.calls->openCount(), 1u);  // the plugin may still use the inputs
  rig.script.complete(ticket, "1");       // Q-87: late
  rig.turn();
  EXPECT_EQ(rig.transport.log.size(), 1u);
  EXPECT_EQ(rig.calls->openCount(), 0u);
}

TEST(Call, ClientThatHasGoneCancelsOnlyItsOwnCalls) {
  CallRig rig(resourceText(step(1, "slow")));
  std::vector<sub0_ticket> tickets;
  rig.script.runs["slow"] = [&](const sub0_run& run) { tickets.push_back(run.ticket); };
  Request other = rig.request("r");
  other.sender.connection = 8;
  rig.dispatch(rig.request("r"));
  rig.dispatch(other);
  rig.calls->abandon(7);
  EXPECT_EQ(rig.script.cancelled, std::vector<sub0_ticket>{tickets[0]});
  for (const auto ticket : tickets) rig.script.complete(ticket, "1");
  rig.turn();
  EXPECT_EQ(rig.transport.log.size(), 2u);
}

// spec S-115, S-116: after the reply, in the order of the actions, modes and effects alike
TEST(Call, WhatItSendsComesAfterItsReplyInActionOrder) {
  CallRig rig(
      resourceText(step(1, "first", R"("after": {"name": "effect"})") + "," + step(2, "second")));
  const auto send = [&](const char* action) {
    return [&rig, action](const sub0_run& run) {
      std::uint64_t recipients = 0;
      EXPECT_EQ(rig.script.broadcast(run.ticket, SUB0_TO_ALL, action, nullptr, &recipients),
                SUB0_OK);
      EXPECT_EQ(recipients, 3u);  // spec S-38: those that match when the action runs
      rig.script.complete(run.ticket, "1");
    };
  };
  rig.script.runs["first"] = send("one");
  rig.script.runs["effect"] = send("two");
  rig.script.runs["second"] = send("three");
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, (Lines{"200 1", "broadcast one to all", "broadcast two to all",
                                      "broadcast three to all"}));
  EXPECT_EQ(rig.transport.broadcast_data[0], R"("data of one")");
}

// spec S-115: a later failure does not take back what was earned
TEST(Call, AFailedCallStillSendsWhatItEarned) {
  CallRig rig(resourceText(step(1, "a", R"("after": {"name": "effect"})") + "," + step(2, "bad")));
  rig.script.runs["effect"] = [&](const sub0_run& run) {
    rig.script.broadcast(run.ticket, SUB0_TO_ALL, "earned", nullptr);
    rig.script.complete(run.ticket, "1");
  };
  rig.script.runs["bad"] = [&](const sub0_run& run) {
    rig.script.fail(run.ticket, Code::kActionFailed);
  };
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, (Lines{"500 action_failed -", "broadcast earned to all"}));
}

TEST(Call, FailuresOfOneResourceDoNotHideThoseOfAnotherInTheLog) {
  const auto failing = [](const std::string& name) {
    return R"({"id": ")" + name + R"(", "resource": ")" + name + R"(", "actionables": [)" +
           step(1, "a", R"("after": {"name": "bad"})") + "]}";
  };
  CallRig rig("[" + failing("noisy") + "," + failing("quiet") + "]");
  rig.script.runs["bad"] = [&](const sub0_run& run) {
    rig.script.fail(run.ticket, Code::kActionFailed);
  };
  static std::string written;
  written.clear();
  log::setSink([](std::string_view line) { written.append(line).append("\n"); });
  const auto count = [&](const std::string& what) {
    std::size_t found = 0;
    for (auto at = written.find(what); at != std::string::npos; at = written.find(what, at + 1)) {
      ++found;
    }
    return found;
  };
  for (int i = 0; i < 15; ++i) rig.dispatch(rig.request("noisy"));
  rig.dispatch(rig.request("quiet"));
  EXPECT_EQ(count("noisy"), 10u) << written;
  EXPECT_EQ(count("quiet"), 1u) << written;
  rig.pass(1000);
  rig.dispatch(rig.request("quiet"));
  EXPECT_EQ(count("5 lines about failed calls were left out"), 1u) << written;
  EXPECT_EQ(count("quiet"), 2u) << written;
  log::setSink(nullptr);
}

TEST(Call, AFailingOrLateEffectChangesNoReply) {
  CallRig rig(resourceText(step(1, "a", R"("after": {"name": "bad"})") + "," +
                           step(2, "b", R"("after": {"name": "late"})") + "," +
                           step(3, "c", R"("after": {"name": "good"})")));
  sub0_ticket late = 0;
  rig.script.runs["bad"] = [&](const sub0_run& run) {
    rig.script.fail(run.ticket, Code::kInternal);
  };
  rig.script.runs["late"] = [&](const sub0_run& run) { late = run.ticket; };
  rig.script.runs["good"] = [&](const sub0_run& run) {
    rig.script.broadcast(run.ticket, SUB0_TO_ALL, "good", nullptr);
    rig.script.complete(run.ticket, "1");
  };
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, Lines{R"(200 {"n":3})"});
  rig.script.complete(late, "1");
  rig.turn();
  EXPECT_EQ(rig.transport.log, (Lines{R"(200 {"n":3})", "broadcast good to all"}));
  EXPECT_EQ(rig.calls->openCount(), 0u);
}

// spec S-115: the effect gets the result as the returnables trim it
TEST(Call, AnEffectGetsTheTrimmedResult) {
  CallRig rig(resourceText(step(1, "a", R"("returnables": ["x"], "after": {"name": "effect"})")));
  rig.script.runs["a"] = [&](const sub0_run& run) {
    rig.script.complete(run.ticket, R"({"x": 1, "secret": 2})");
  };
  std::string seen;
  rig.script.runs["effect"] = [&](const sub0_run& run) {
    seen = json::toString(run.inputs[0]);
    rig.script.complete(run.ticket, "1");
  };
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(seen, R"({"x":1})");
  EXPECT_EQ(rig.transport.log, Lines{R"(200 {"x":1})"});
}

TEST(Call, SingleGoesToTheNamedUidOrTheCallersOrTheClaims) {
  const std::string secured =
      R"("tokenize": {"type": "JWT", "encryption_key": "$ENV.KEY"}, "protected": {}, )";
  const json::Value number = json::integer(101);
  CallRig rig(resourceText(step(1, "a"), secured));
  const json::Value* to = nullptr;
  rig.script.runs["a"] = [&](const sub0_run& run) {
    EXPECT_EQ(rig.script.broadcast(run.ticket, SUB0_TO_SINGLE, "e", to), SUB0_OK);
    rig.script.complete(run.ticket, "1");
  };
  const std::string header = "Bearer " + rig.token(R"({"id": 42})");
  const HeaderField fields[] = {{"authorization", header}};
  Request from_http = rig.request("r");
  from_http.headers = fields;
  rig.dispatch(from_http);
  Request from_socket = rig.socketRequest("r", "", "u1");
  from_socket.headers = fields;
  rig.dispatch(from_socket);
  to = &number;
  rig.dispatch(from_socket);
  // spec S-115, S-88: a number is the uid of its digits
  EXPECT_EQ(rig.transport.log, (Lines{"200 1", "broadcast e to 42", "200 1", "broadcast e to u1",
                                      "200 1", "broadcast e to 101"}));
}

// RFC 9110 section 5.5: a field's value may hold any bytes; what is made of it is UTF-8
TEST(Call, AHeaderThatIsNoUtf8IsMadeOne) {
  CallRig rig(resourceText(stepWith(1, "a", R"("$HEADER.agent")")));
  for (const std::string_view value : {"x\xFF\xC3y", "\xC3\xA4"}) {
    const HeaderField fields[] = {{"Agent", value}};
    Request request = rig.request("r");
    request.headers = fields;
    rig.dispatch(request);
  }
  EXPECT_EQ(rig.transport.log, (Lines{"200 \"x\xEF\xBF\xBD\xEF\xBF\xBDy\"", "200 \"\xC3\xA4\""}));
}

// Q-51: too many uids, or what is no uid
TEST(Call, BulkRefusesTooManyAndWrongTypes) {
  CallRig rig(resourceText(step(1, "a")));
  std::vector<int32_t> statuses;
  std::string to;
  rig.script.runs["a"] = [&](const sub0_run& run) {
    const json::Value uids = dialect::valueOf(to);
    statuses.push_back(rig.script.broadcast(run.ticket, SUB0_TO_BULK, "e", &uids));
    rig.script.complete(run.ticket, "1");
  };
  for (const char* uids : {R"(["a", 2, null])", "[1,2,3,4,5]", "[{}]", R"("a")"}) {
    to = uids;
    rig.dispatch(rig.request("r"));
  }
  EXPECT_EQ(statuses, (std::vector<int32_t>{SUB0_OK, SUB0_LIMIT_EXCEEDED, SUB0_INVALID_ARGUMENT,
                                            SUB0_INVALID_ARGUMENT}));
  EXPECT_EQ(rig.transport.log[1], "broadcast e to a 2");
}

}  // namespace
}  // namespace sub0::call::test::call_test
