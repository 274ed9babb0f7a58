// SPDX-License-Identifier: Apache-2.0
#include "call/trace.hpp"

#include <optional>

#include "base/log.hpp"
#include "base/text.hpp"
#include "base/time_units.hpp"

namespace sub0::call {
namespace {

std::string_view typeName(const json::Value& value) {
  switch (value.type) {
    case SUB0_NULL:
      return "null";
    case SUB0_BOOL:
      return "boolean";
    case SUB0_INT:
      return "integer";
    case SUB0_DOUBLE:
    case SUB0_NUMBER:
      return "number";
    case SUB0_TEXT:
      return "text";
    case SUB0_ARRAY:
      return "array";
    case SUB0_OBJECT:
      return "object";
    default:
      return "json";
  }
}

/// None for a value that is no row and no list of rows.
std::optional<std::uint32_t> rowsOf(const json::Value& result) {
  if (json::isNull(result)) return 0;
  if (json::isArray(result)) return result.count;
  if (json::isObject(result)) return 1;
  return std::nullopt;
}

void appendMember(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  text::appendJsonString(out, text);
}

void appendMember(std::string& out, std::string_view name, std::int64_t number) {
  out.append(",\"").append(name).append("\":").append(std::to_string(number));
}

}  // namespace

void Trace::begin(const Request& request, std::int64_t now_ns) {
  steps_.clear();
  begun_ns_ = now_ns;
  connection_ = request.connection_number;
  is_socket_ = request.sender.is_socket;
  is_in_step_ = false;
}

void Trace::beginEntry(const PlanAction& action) {
  step_at_ = steps_.size();
  if (!steps_.empty()) steps_.push_back(',');
  steps_.append("{\"id\":").append(std::to_string(action.model->id));
  if (action.model->home != nullptr) appendMember(steps_, "resource", action.model->home->id);
}

void Trace::beginStep(const PlanAction& action, const PreparedStep& step, const json::Value* inputs,
                      std::int64_t now_ns) {
  const plugin::Handler& handler = *step.prepared.handler;
  beginEntry(action);
  appendMember(steps_, handler.isEffect() ? "effect" : "mode", handler.name);
  appendMember(steps_, "plugin", handler.plugin->id);
  for (const auto& [name, json_text] : step.prepared.other_facts) {
    if (name == "statement") steps_.append(",\"statement\":").append(json_text);
  }
  steps_.append(",\"types\":[");
  for (std::size_t index = 0; index < step.inputs.size(); ++index) {
    steps_.append(index == 0 ? "\"" : ",\"").append(typeName(inputs[index])).push_back('"');
  }
  steps_.push_back(']');
  step_begun_ns_ = now_ns;
  is_in_step_ = true;
}

void Trace::dropStep() {
  if (!is_in_step_) return;
  is_in_step_ = false;
  steps_.resize(step_at_);
}

void Trace::endStep(Code code, const json::Value* result, std::int64_t now_ns) {
  if (!is_in_step_) return;
  is_in_step_ = false;
  appendMember(steps_, "code", codeInfo(code).name);
  appendMember(steps_, "duration_us", (now_ns - step_begun_ns_) / kNsPerUs);
  const auto rows = result == nullptr ? std::nullopt : rowsOf(*result);
  if (rows) appendMember(steps_, "rows", *rows);
  steps_.push_back('}');
}

void Trace::skip(const PlanAction& action) {
  beginEntry(action);
  steps_.append(",\"skipped\":true}");
}

void Trace::cached(const PlanAction& action) {
  beginEntry(action);
  steps_.append(",\"cached\":true}");
}

void Trace::reply(Code code, std::int64_t now_ns) {
  code_ = code;
  duration_us_ = (now_ns - begun_ns_) / kNsPerUs;
}

void Trace::write(const Plan& plan) {
  log::info("trace", "call",
            {{"resource", plan.resource->id},
             {"transport", is_socket_ ? "websocket" : "http"},
             {"connection", connection_},
             {"code", codeInfo(code_).name},
             {"duration_us", duration_us_},
             log::Field::json("steps", "[" + steps_ + "]")});
}

}  // namespace sub0::call
