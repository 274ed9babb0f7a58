// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sub0 {
namespace {

TEST(Error, EveryCodeHasTheStatusAndNameOfTheTable) {  // spec S-52
  struct Row {
    Code code;
    int status;
    const char* name;
  };
  const std::vector<Row> rows = {
      {Code::kBadRequest, 400, "bad_request"},
      {Code::kValidationFailed, 400, "validation_failed"},
      {Code::kUnauthorized, 401, "unauthorized"},
      {Code::kTokenInvalid, 401, "token_invalid"},
      {Code::kTokenExpired, 401, "token_expired"},
      {Code::kTokenRevoked, 401, "token_revoked"},
      {Code::kWebhookRejected, 401, "webhook_rejected"},
      {Code::kHashMismatch, 401, "hash_mismatch"},
      {Code::kNotFound, 404, "not_found"},
      {Code::kMethodNotAllowed, 405, "method_not_allowed"},
      {Code::kUnsupportedMediaType, 415, "unsupported_media_type"},
      {Code::kPayloadTooLarge, 413, "payload_too_large"},
      {Code::kForbidden, 403, "forbidden"},
      {Code::kLimitExceeded, 400, "limit_exceeded"},
      {Code::kResultTooLarge, 500, "result_too_large"},
      {Code::kInternal, 500, "internal"},
      {Code::kRateLimited, 429, "rate_limited"},
      {Code::kNoValue, 500, "no_value"},
      {Code::kConstraint, 500, "constraint"},
      {Code::kActionFailed, 500, "action_failed"},
      {Code::kBusy, 503, "busy"},
      {Code::kUnavailable, 503, "unavailable"},
      {Code::kMaintenance, 503, "maintenance"},
      {Code::kTimeout, 504, "timeout"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(codeInfo(row.code).status, row.status) << row.name;
    EXPECT_EQ(codeInfo(row.code).name, row.name);
    EXPECT_FALSE(codeInfo(row.code).message.empty()) << row.name;
  }
  EXPECT_EQ(codeInfo(Code::kUnauthorized).message, "no token header found");
  EXPECT_EQ(codeInfo(Code::kNoValue).message, "Operation Failed: this action must return a value!");
}

TEST(Error, AnUnknownNumberIsAnInternalError) {
  for (const int number : {-1, 25, 99, 1'000'000}) {
    EXPECT_EQ(codeInfo(static_cast<Code>(number)).name, "internal") << number;
  }
}

TEST(Error, TheCallerReadsTheMessageOrTheWordingOfTheCode) {
  EXPECT_EQ(makeError(Code::kNotFound).clientMessage(), "no such resource");
  EXPECT_EQ(makeError(Code::kNotFound, "other", "for the log").clientMessage(), "other");
}

TEST(Error, AResultHoldsAValueOrAnError) {
  const Result<std::string> good = std::string("value");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->size(), 5u);
  const Result<std::string> bad = makeError(Code::kTimeout);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::kTimeout);
}

}  // namespace
}  // namespace sub0
