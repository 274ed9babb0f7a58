// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "auth/token_verifier.hpp"
#include "tests/unit/call/call_rig.hpp"

namespace sub0::call::test::result_test {
namespace {

std::string action(int id, const std::string& input, const std::string& more = "") {
  return R"({"id": )" + std::to_string(id) + R"(, "mode": "STEP", )" + more +
         R"("step": {"name": "a", "input": )" + input + "}}";
}

std::string resource(const std::string& actions, const std::string& more) {
  return R"({"id": "r", "resource": "route", )" + more + R"("actionables": [)" + actions + "]}";
}

// spec S-23: the action with main_returnable; its returnables first, the resource's after
TEST(Result, IsTheMainActionsTrimmedTwice) {
  CallRig rig(resource(action(1, R"({"a": 1, "b": 2, "c": 3})",
                              R"("main_returnable": true, "returnables": ["a", "b"], )") +
                           "," + action(2, R"({"z": 1})"),
                       R"("returnables": ["b", "c"], )"));
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, Lines{R"(200 {"b":2})"});
}

// spec S-23: combine_returned_results_from merges objects and concatenates rows
TEST(Result, CombinesWhatTheResourceNames) {
  CallRig objects(resource(action(1, R"({"a": 1})") + "," + action(2, R"({"b": 2})"),
                           R"("combine_returned_results_from": [2, 1], )"));
  objects.dispatch(objects.request("r"));
  EXPECT_EQ(objects.transport.log, Lines{R"(200 {"b":2,"a":1})"});
  CallRig rows(resource(action(1, R"([{"a": 1}, {"a": 2}])") + "," + action(2, R"({"a": 3})"),
                        R"("combine_returned_results_from": [1, 2], )"));
  rows.dispatch(rows.request("r"));
  EXPECT_EQ(rows.transport.log, Lines{R"(200 [{"a":1},{"a":2},{"a":3}])"});
}

// spec S-85, S-32: a JSON column comes as text, and is read into as JSON
TEST(Result, ExtractsFromJsonColumns) {
  CallRig rig(
      resource(action(1, R"("x")", R"("no_op": true, )")
                       .replace(action(1, R"("x")", R"("no_op": true, )").find(R"("name": "a")"),
                                11, R"("name": "j")") +
                   "," +
                   action(2, R"("$PAYLOAD.theme")",
                          R"("depends_on": [{"resource_id": "self", "action_ids": [1],
                                     "extract_response_for": [{"extract": "cfg.list.1", "for": "theme"}]}], )"),
               ""));
  rig.script.runs["j"] = [&](const sub0_run& run) {
    json::Member column{json::toView("cfg"), json::raw(R"({"list": ["a", {"b": 1}]})")};
    const json::Value row = json::object(&column, 1);
    rig.script.host->complete(rig.script.host, run.ticket, &row);
  };
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, Lines{R"(200 {"b":1})"});
}

/// The claims of the only token in `line`, which stands behind `before`.
std::string claimsIn(const std::string& line, const std::string& before) {
  const auto begin = line.find(before) + before.size();
  const std::string token = line.substr(begin, line.find('"', begin) - begin);
  static Arena arena;
  const auto verified = auth::verifyToken(
      *auth::Key::create(auth::Algorithm::kHs256, CallRig::kSecret), token, 0, arena);
  return verified ? json::toString(verified->claims) : "no token in " + line;
}

const std::string kTokenize =
    R"("tokenize": {"type": "JWT", "encryption_key": "$ENV.KEY", "expiration": 60 )";

// spec S-71: claims come from the row before returnables, the token stays whatever they say
TEST(Result, IssuesATokenFromTheRowBeforeReturnables) {
  CallRig rig(resource(action(1, R"({"id": 7, "role": "admin", "name": "A"})"),
                       kTokenize +
                           R"(, "custom_claim_fields": ["id", "role"], "property_name": "jwt"}, )" +
                           R"("returnables": ["name"], )"));
  rig.dispatch(rig.request("r"));
  ASSERT_EQ(rig.transport.log.size(), 1u);
  const std::string& line = rig.transport.log.front();
  EXPECT_EQ(line.rfind(R"(200 {"name":"A","jwt":")", 0), 0u) << line;
  EXPECT_EQ(claimsIn(line, R"("jwt":")"), R"({"id":7,"role":"admin","iat":0,"exp":60})");
}

// spec S-71, S-52: headers hold no longer one
TEST(Result, ATokenOfMoreThan16KibIsNotIssued) {
  CallRig rig(resource(action(1, R"("$PAYLOAD")"), kTokenize + "}, "));
  rig.dispatch(rig.request("r", R"({"id": ")" + std::string(20'000, 'a') + R"("})"));
  EXPECT_EQ(rig.transport.log, Lines{"500 result_too_large -"});
}

// spec S-71: without custom_claim_fields the claim is id; without a row there is no token
TEST(Result, IssuesIdByDefaultAndNothingWithoutARow) {
  CallRig rig(resource(action(1, R"("$PAYLOAD")"), kTokenize + "}, "));
  rig.dispatch(rig.request("r", R"({"id": "u1", "x": 1})"));
  EXPECT_EQ(claimsIn(rig.transport.log.back(), R"("token":")"), R"({"id":"u1","iat":0,"exp":60})");
  rig.dispatch(rig.request("r", "null"));
  EXPECT_EQ(rig.transport.log.back(), "200 null");
}

// spec S-71: a protected resource without custom_claim_fields or property_name issues none
TEST(Result, AProtectedResourceIssuesNoTokenUnlessItSaysSo) {
  CallRig plain(resource(action(1, R"({"id": 1})"), kTokenize + R"(}, "protected": {}, )"));
  CallRig naming(resource(action(1, R"({"id": 1})"),
                          kTokenize + R"(, "property_name": "t"}, "protected": {}, )"));
  for (CallRig* rig : {&plain, &naming}) {
    const std::string header = "Bearer " + rig->token("{}");
    const HeaderField fields[] = {{"Authorization", header}};
    Request request = rig->request("r");
    request.headers = fields;
    rig->dispatch(request);
  }
  EXPECT_EQ(plain.transport.log, Lines{R"(200 {"id":1})"});
  EXPECT_EQ(naming.transport.log[0].rfind(R"(200 {"id":1,"t":")", 0), 0u);
}

// spec S-10: the validation of a no_op action is done when it is its turn, before its dependencies
TEST(Result, ANoOpActionValidatesWhenItIsItsTurn) {
  const std::string validation =
      R"("no_op": true, "payload_validation": [{"field": {"x": {"type": "STRING"}}}], )";
  CallRig rig(resource(
      action(1, "1") + "," +
          action(2, "2", R"("depends_on": [{"resource_id": "self", "action_ids": [3]}], )") + "," +
          action(3, "3", validation),
      ""));
  int runs = 0;
  rig.script.runs["a"] = [&](const sub0_run& run) {
    ++runs;
    rig.script.complete(run.ticket, "1");
  };
  rig.dispatch(rig.request("r", "{}"));
  EXPECT_EQ(rig.transport.log, Lines{"400 validation_failed -"});
  EXPECT_EQ(runs, 1);
  rig.dispatch(rig.request("r", R"({"x": ""})"));
  EXPECT_EQ(rig.transport.log.back(), "200 1");
}

}  // namespace
}  // namespace sub0::call::test::result_test
