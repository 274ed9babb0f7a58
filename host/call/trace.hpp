// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "call/plan.hpp"
#include "call/request.hpp"

// What SUB0_TRACE=1 tells of one call: a log line `trace` with resource, transport, connection,
// result code and the time until the reply, and for each action and effect its mode, plugin, result
// code, time, rows, what its plugin named as `statement` at preparation, and the types of its
// inputs. Never a value: what a client or a row says stays out of the log. Times are passed
// in. One per Call, reused; a call without one pays a branch. THREAD: the loop's.
namespace sub0::call {

class Trace {
 public:
  void begin(const Request& request, std::int64_t now_ns);

  /// A step begins; an effect is named by its `key`, which is empty for an action. Only types of
  /// `inputs` are read, which belong to step.inputs.
  void beginStep(const PlanAction& action, const PreparedStep& step, const json::Value* inputs,
                 std::int64_t now_ns);
  /// It is not told of yet: others come before it has ended, which is when it begins once more.
  void dropStep();
  /// It has ended; `result` is null where it failed. Without a step under way: nothing.
  void endStep(Code code, const json::Value* result, std::int64_t now_ns);
  void skip(const PlanAction& action);
  /// Its result came out of the cache.
  void cached(const PlanAction& action);
  void reply(Code code, std::int64_t now_ns);

  /// Writes the line.
  void write(const Plan& plan);

 private:
  void beginEntry(const PlanAction& action);

  std::string steps_;  // JSON objects
  std::size_t step_at_ = 0;
  std::int64_t begun_ns_ = 0;
  std::int64_t step_begun_ns_ = 0;
  std::int64_t duration_us_ = 0;
  std::uint64_t connection_ = 0;
  Code code_ = Code::kOk;
  bool is_socket_ = false;
  bool is_in_step_ = false;
};

}  // namespace sub0::call
