// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/call_rig.hpp"

namespace sub0::call::test::gates_test {
namespace {

std::string resource(const std::string& more = "", const std::string& input = R"("$PAYLOAD")",
                     const std::string& of_action = "") {
  return R"({"id": "r", "resource": "route", )" + more +
         R"("actionables": [{"id": 1, "mode": "STEP", )" + of_action +
         R"("step": {"name": "a", "input": )" + input + "}}]}";
}

const char* const kSecured =
    R"("tokenize": {"type": "JWT", "encryption_key": "$ENV.KEY"}, "protected": {"provide_as": "x-access-token"}, )";
const char* const kValidation =
    R"("payload_validation": [{"field": {"email": {"type": "EMAIL"}}}, {"field": {"age": {"type": "NUMBER"}}}], )";

TEST(Gates, MaintenanceComesFirst) {
  CallRig rig(resource(R"("maintenance": true, )"), false);
  Request request = rig.request("r", "no json");
  request.method = "GET";
  rig.dispatch(request);
  EXPECT_EQ(rig.transport.log, Lines{"503 maintenance -"});  // spec S-10
  EXPECT_EQ(rig.transport.messages, Lines{"under maintenance"});
}

// spec S-50: GET only where every action is known to read only
TEST(Gates, GetNeedsAPlanThatReadsOnly) {
  CallRig writing(resource(), false);
  CallRig reading(resource(), true);
  for (CallRig* rig : {&writing, &reading}) {
    Request request = rig->request("r");
    request.method = "GET";
    rig->dispatch(request);
  }
  EXPECT_EQ(writing.transport.log, Lines{"405 method_not_allowed -"});
  EXPECT_EQ(writing.transport.allow, "POST, OPTIONS");
  EXPECT_EQ(reading.transport.log, Lines{"200 {}"});
}

TEST(Gates, AGetTellsThePluginThatItMustNotWrite) {
  CallRig rig(resource());
  std::vector<std::uint32_t> flags;
  rig.script.runs["a"] = [&](const sub0_run& run) {
    flags.push_back(run.flags);
    rig.script.complete(run.ticket, "1");
  };
  Request request = rig.request("r");
  rig.dispatch(request);
  for (const char* method : {"GET", "HEAD"}) {
    request.method = method;
    rig.dispatch(request);
  }
  EXPECT_EQ(flags, (std::vector<std::uint32_t>{0, SUB0_RUN_READ_ONLY, SUB0_RUN_READ_ONLY}));
}

// spec S-50: application/json, else 415, with a body only
TEST(Gates, ContentTypeCountsWithABody) {
  const struct {
    const char* content_type;
    const char* payload;
    const char* reply;
  } kCases[] = {
      {"application/json", "{}", "200 {}"},
      {"Application/JSON; charset=utf-8", "{}", "200 {}"},
      {"text/plain", "{}", "415 unsupported_media_type -"},
      {"application/x-www-form-urlencoded", "a=1", "415 unsupported_media_type -"},
      {"multipart/form-data; boundary=x", "--x--", "200 {}"},
      {"application/jsonx", "{}", "415 unsupported_media_type -"},
      {"", "{}", "415 unsupported_media_type -"},
      {"text/plain", "", "200 {}"},
      {"", "", "200 {}"},
  };
  CallRig rig(resource());
  for (const auto& each : kCases) {
    Request request = rig.request("r", each.payload);
    request.content_type = each.content_type;
    rig.dispatch(request);
    EXPECT_EQ(rig.transport.log.back(), each.reply) << each.content_type;
  }
}

// Q-61: no valid JSON anywhere inside; also where the plan does not read the payload
TEST(Gates, InvalidJsonIsRefusedEvenIfNobodyReadsIt) {
  CallRig reading(resource());
  CallRig ignoring(resource("", "1"));
  for (CallRig* rig : {&reading, &ignoring}) {
    for (const char* payload : {R"({"a":tru})", R"("\q")", "{} x", "{", "\xEF\xBB\xBF{}"}) {
      rig->dispatch(rig->request("r", payload));
      EXPECT_EQ(rig->transport.log.back(), "400 bad_request -") << payload;
    }
  }
}

// spec S-72, S-73: the token's place is provide_as, as header or subprotocol
TEST(Gates, TokenIsReadWhereProvideAsSays) {
  CallRig rig(resource(kSecured, R"("$PROTECTED.id")"));
  const std::string token = rig.token(R"({"id": 7})");
  const std::string bearer = "Bearer " + token;
  const HeaderField right[] = {{"X-Access-Token", token}};
  const HeaderField prefixed[] = {{"x-access-token", bearer}};
  const HeaderField wrong[] = {{"Authorization", bearer}};
  const HeaderField damaged[] = {{"x-access-token", "abc"}};
  const struct {
    std::span<const HeaderField> headers;
    std::string reply;
  } kCases[] = {{right, "200 7"},
                {prefixed, "200 7"},
                {wrong, "401 unauthorized -"},
                {{}, "401 unauthorized -"},
                {damaged, "401 token_invalid -"}};
  for (const auto& each : kCases) {
    Request request = rig.request("r");
    request.headers = each.headers;
    rig.dispatch(request);
    EXPECT_EQ(rig.transport.log.back(), each.reply);
  }
  Request socket = rig.socketRequest("r", "", "");
  socket.token = token;
  socket.token_scheme = "X-ACCESS-TOKEN";
  rig.dispatch(socket);
  EXPECT_EQ(rig.transport.log.back(), "200 7");
  socket.token_scheme = "Authorization";
  rig.dispatch(socket);
  EXPECT_EQ(rig.transport.log.back(), "401 unauthorized -");
}

TEST(Gates, AuthorizationWantsBearerAndOnSocketsAllowsADot) {
  CallRig rig(
      resource(R"("tokenize": {"type": "JWT", "encryption_key": "$ENV.KEY"}, "protected": {}, )",
               R"("$PROTECTED.id")"));
  const std::string token = rig.token(R"({"id": 7})");
  const std::string bearer = "bearer " + token;
  const HeaderField right[] = {{"Authorization", bearer}};
  const HeaderField raw[] = {{"Authorization", token}};
  Request request = rig.request("r");
  request.headers = right;
  rig.dispatch(request);
  request.headers = raw;
  rig.dispatch(request);
  Request socket = rig.socketRequest("r", "", "");
  const std::string dotted = "Bearer." + token;
  socket.token_scheme = "authorization";
  for (const auto& text : {token, dotted}) {
    socket.token = text;
    rig.dispatch(socket);
  }
  EXPECT_EQ(rig.transport.log, (Lines{"200 7", "401 unauthorized -", "200 7", "200 7"}));
}

// spec S-10: the token before the payload is looked at; Q-50: claims come from the token alone
TEST(Gates, TokenComesBeforeValidationAndClaimsFromItAlone) {
  CallRig rig(resource(kSecured, R"("$PROTECTED.id")", kValidation));
  rig.dispatch(rig.request("r", R"({"id": 9})"));
  EXPECT_EQ(rig.transport.log.back(), "401 unauthorized -");
  const std::string token = rig.token(R"({"id": 7})");
  const HeaderField header[] = {{"x-access-token", token}};
  Request request = rig.request("r", R"({"id": 9, "email": "a@b.co", "age": 1})");
  request.headers = header;
  rig.dispatch(request);
  EXPECT_EQ(rig.transport.log.back(), "200 7");
}

// spec S-81, S-52: all failures at once
TEST(Gates, AllFailuresOfValidationAreReported) {
  CallRig rig(resource("", "1", kValidation));
  rig.dispatch(rig.request("r", R"({"email": "nobody", "age": "x"})"));
  EXPECT_EQ(rig.transport.log, Lines{"400 validation_failed -"});
  EXPECT_EQ(rig.transport.details.size(), 2u);
  EXPECT_EQ(rig.transport.messages, Lines{"email is not a valid email"});
}

// spec S-25: bypass_payload_validation
TEST(Gates, BypassedValidationIsNotDone) {
  CallRig rig(
      resource("", "1", std::string(kValidation) + R"("bypass_payload_validation": true, )"));
  rig.dispatch(rig.request("r", "{}"));
  EXPECT_EQ(rig.transport.log, Lines{"200 1"});
}

// spec S-113; Q-71: every id of the client is replaced, escapes decoded
TEST(Gates, TheUidReplacesEveryIdOfAnObject) {
  CallRig rig(resource());
  const struct {
    const char* payload;
    const char* reply;
  } kCases[] = {
      {R"({"id":"evil","a":1})", R"(200 {"a":1,"id":"u1"})"},
      {R"({"\u0069d":"evil","a":1,"id":2})", R"(200 {"a":1,"id":"u1"})"},
      {"", R"(200 {"id":"u1"})"},
      {"[1]", "200 [1]"},
      {"5", "200 5"},
  };
  for (const auto& each : kCases) {
    rig.dispatch(rig.socketRequest("r", each.payload, "u1"));
    EXPECT_EQ(rig.transport.log.back(), each.reply) << each.payload;
  }
}

// spec S-113: as number where the resource declares id so
TEST(Gates, TheUidIsANumberWhereIdIsDeclaredSo) {
  CallRig rig(resource("", R"("$PAYLOAD.id")",
                       R"("payload_validation": [{"field": {"id": {"type": "NUMBER"}}}], )"));
  rig.dispatch(rig.socketRequest("r", "{}", "101"));
  rig.dispatch(rig.socketRequest("r", "{}", "u1"));
  rig.dispatch(rig.socketRequest("r", "{}", "007"));
  rig.dispatch(rig.socketRequest("r", "{}", "1234567890123456789"));
  rig.dispatch(rig.socketRequest("r", "{}", "12345678901234567890"));
  EXPECT_EQ(rig.transport.log,
            (Lines{"200 101", "400 validation_failed -", "400 validation_failed -",
                   "200 1234567890123456789", "200 12345678901234567890"}));
}

// spec S-50, S-81: query parameters are texts, and may stand for numbers
TEST(Gates, QueryParametersFillAnObjectWhereItHasNone) {
  CallRig rig(resource("", R"("$PAYLOAD")",
                       R"("payload_validation": [{"field": {"age": {"type": "NUMBER"}}}], )"));
  const HeaderField query[] = {{"age", "12"}, {"a", "x"}, {"age", "13"}, {"b", ""}};
  Request request = rig.request("r", R"({"a":1})");
  request.query = query;
  rig.dispatch(request);
  EXPECT_EQ(rig.transport.log, Lines{R"(200 {"a":1,"age":"12","b":""})"});
}

// spec S-81: a text stands for a number only where it came from the query; also for no_op actions
TEST(Gates, OnlyTextsOfTheQueryStandForNumbers) {
  const std::string age = R"("payload_validation": [{"field": {"age": {"type": "NUMBER"}}}], )";
  CallRig rig(resource("", R"("$PAYLOAD")", age));
  const HeaderField other[] = {{"x", "1"}};
  Request request = rig.request("r", R"({"age":"5"})");
  request.query = other;
  rig.dispatch(request);
  EXPECT_EQ(rig.transport.log.back(), "400 validation_failed -");
  CallRig late(R"({"id": "r", "resource": "route", "actionables": [{"id": 1, "mode": "STEP",
    "step": {"name": "a"}, "depends_on": [{"resource_id": "self", "action_ids": [2]}]},
    {"id": 2, "mode": "STEP", "no_op": true, )" +
               age + R"("step": {"name": "a"}}]})");
  const HeaderField query[] = {{"age", "5"}};
  request = late.request("r");
  request.query = query;
  late.dispatch(request);
  EXPECT_EQ(late.transport.log.back(), "200 null");
}

// Q-73: the last of equal keys counts, and where a call looks into its payload nothing else is
// passed on; what nobody looks into stays the text that it is
TEST(Gates, WhatIsPassedOnIsWhatWasValidated) {
  const char* const twice = R"({"email":"no","age":1,"email":"a@b.co","o":{"x":1,"x":2}})";
  const char* const once = R"(200 {"email":"a@b.co","age":1,"o":{"x":2}})";
  CallRig looking(resource("", R"("$PAYLOAD")", kValidation), true, SUB0_ACCEPTS_RAW);
  looking.dispatch(looking.request("r", twice));
  EXPECT_EQ(looking.transport.log.back(), once);
  looking.dispatch(looking.socketRequest("r", twice, ""));
  EXPECT_EQ(looking.transport.log.back(), once);
  const char* const untouched = R"({"age":1.50,"email":"a@b.co" })";
  looking.dispatch(looking.request("r", untouched));
  EXPECT_EQ(looking.transport.log.back(), std::string("200 ") + untouched);
  CallRig passing(resource(), true, SUB0_ACCEPTS_RAW);
  passing.dispatch(passing.request("r", twice));
  EXPECT_EQ(passing.transport.log.back(), std::string("200 ") + twice);
}

// Q-62: what looks like an accessor in a payload is text
TEST(Gates, PayloadsAreNeverExpanded) {
  CallRig rig(resource());
  rig.dispatch(rig.request("r", R"({"a":"$ENV.KEY"})"));
  EXPECT_EQ(rig.transport.log, Lines{R"(200 {"a":"$ENV.KEY"})"});
}

}  // namespace
}  // namespace sub0::call::test::gates_test
