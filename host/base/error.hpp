// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sub0/plugin.h"

// One list of error codes for the host, its replies and the plugin ABI, and the Result that carries
// them. On the path of a message nothing throws: a function that can fail returns Result<T>.
namespace sub0 {

/// The codes of the ABI; each has a fixed HTTP status, a name (`error.code`) and a default wording
/// (S-52).
enum class Code : int32_t {
  kOk = SUB0_OK,
  kBadRequest = SUB0_BAD_REQUEST,
  kValidationFailed = SUB0_VALIDATION_FAILED,
  kUnauthorized = SUB0_UNAUTHORIZED,
  kTokenInvalid = SUB0_TOKEN_INVALID,
  kTokenExpired = SUB0_TOKEN_EXPIRED,
  kTokenRevoked = SUB0_TOKEN_REVOKED,
  kWebhookRejected = SUB0_WEBHOOK_REJECTED,
  kHashMismatch = SUB0_HASH_MISMATCH,
  kNotFound = SUB0_NOT_FOUND,
  kMethodNotAllowed = SUB0_METHOD_NOT_ALLOWED,
  kUnsupportedMediaType = SUB0_UNSUPPORTED_MEDIA_TYPE,
  kPayloadTooLarge = SUB0_PAYLOAD_TOO_LARGE,
  kForbidden = SUB0_FORBIDDEN,
  kLimitExceeded = SUB0_LIMIT_EXCEEDED,
  kResultTooLarge = SUB0_RESULT_TOO_LARGE,
  kInternal = SUB0_INTERNAL,
  kRateLimited = SUB0_RATE_LIMITED,
  kNoValue = SUB0_NO_VALUE,
  kConstraint = SUB0_CONSTRAINT,
  kActionFailed = SUB0_ACTION_FAILED,
  kBusy = SUB0_BUSY,
  kUnavailable = SUB0_UNAVAILABLE,
  kMaintenance = SUB0_MAINTENANCE,
  kTimeout = SUB0_TIMEOUT,
};

/// What the outside sees of a code.
struct CodeInfo {
  int status;                // HTTP status
  std::string_view name;     // "bad_request"
  std::string_view message;  // default wording for the caller
};

/// The row of `code`; an unknown number gives that of kInternal.
const CodeInfo& codeInfo(Code code);

/// A failure: code and texts. `message` goes to the caller (empty: the code's wording); `log` to
/// the operator.
struct Error {
  Code code = Code::kInternal;
  std::string message;
  std::string log;
  std::vector<std::string> details;  // one line per failed field (S-52)

  std::string_view clientMessage() const {
    return message.empty() ? codeInfo(code).message : std::string_view(message);
  }
};

/// A value or an Error. `if (!result) return result.error();`
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return content_.index() == 0; }
  T& value() { return std::get<0>(content_); }
  const T& value() const { return std::get<0>(content_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  Error& error() { return std::get<1>(content_); }
  const Error& error() const { return std::get<1>(content_); }

 private:
  std::variant<T, Error> content_;
};

/// Result without a value.
struct Done {};

inline Error makeError(Code code, std::string message = {}, std::string log = {}) {
  return Error{code, std::move(message), std::move(log), {}};
}

}  // namespace sub0
