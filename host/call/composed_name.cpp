// SPDX-License-Identifier: Apache-2.0
#include "call/composed_name.hpp"

#include <string>
#include <utility>

#include "dialect/accessor.hpp"
#include "dialect/value_hints.hpp"
#include "json/writer.hpp"

namespace sub0::call {
namespace {

using dialect::CompileContext;
using dialect::Template;

/// The separator that names are usually written with, and what it is written as itself.
void appendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == ':') {
      out += "%3A";
    } else if (c == '%') {
      out += "%25";
    } else {
      out += c;
    }
  }
}

/// "$PROTECTED.id-" and "$PROTECTED.id_": a member of that name is read; "$PAYLOAD.ids[0]".
void warnOfEnds(const dialect::WrittenAccessor& accessor, std::string_view text,
                std::string_view pointer, const CompileContext& context,
                ComposedName::Missing missing) {
  if (context.problems == nullptr || context.file == nullptr) return;
  std::string foreign = dialect::foreignEnd(accessor, text);
  if (!foreign.empty()) {
    context.problems->warning(context.file->at(pointer), "S-61", std::move(foreign));
  }
  const std::string running = dialect::runningEnd(accessor, text, context.names);
  if (running.empty()) return;
  const bool is_key = missing == ComposedName::Missing::kNoName;
  context.problems->warning(context.file->at(pointer), is_key ? "S-93" : "S-94",
                            running + "; put : between the parts" + (is_key ? " of a key" : ""));
}

}  // namespace

ComposedName ComposedName::compile(const json::Value& written, std::string_view pointer,
                                   const CompileContext& context, Missing missing) {
  const std::string_view text = json::chars(written);
  ComposedName name;
  name.missing_ = missing;
  std::size_t at = 0;
  const auto add = [&](std::size_t end) {
    if (end == at) return;
    auto part = Template::compile(json::text(text.substr(at, end - at)), pointer, context);
    name.needs_.merge(part.needs());
    name.parts_.push_back(std::move(part));
    at = end;
  };
  for (const auto& accessor : dialect::findAccessors(text, nullptr)) {
    warnOfEnds(accessor, text, pointer, context, missing);
    add(accessor.begin);
    add(accessor.end);
  }
  add(text.size());
  if (name.parts_.empty()) name.parts_.push_back(Template::constant(written));
  bool is_constant = true;
  for (const Template& part : name.parts_) is_constant = is_constant && part.isConstant();
  if (is_constant && name.parts_.size() > 1) {  // $ENV
    Arena arena{256};
    auto whole = Template::constant(name.join(dialect::Scope(), arena));
    name.parts_.clear();
    name.parts_.push_back(std::move(whole));
  }
  return name;
}

json::Value ComposedName::evaluate(const dialect::Scope& scope, Arena& arena) const {
  return parts_.size() == 1 ? parts_.front().evaluate(scope, arena) : join(scope, arena);
}

json::Value ComposedName::join(const dialect::Scope& scope, Arena& arena) const {
  static thread_local std::string joined, written;  // kept: no allocation in the steady state
  joined.clear();
  for (const Template& part : parts_) {
    const json::Value value = part.evaluate(scope, arena);
    if (json::isNull(value)) {
      if (missing_ == Missing::kNoName) return json::null();
    } else if (part.isConstant()) {
      joined += json::chars(value);
    } else if (json::isText(value)) {
      appendEscaped(json::chars(value), joined);
    } else {
      written.clear();
      json::write(value, written);
      appendEscaped(written, joined);
    }
  }
  return json::text(arena.copy(joined));
}

}  // namespace sub0::call
