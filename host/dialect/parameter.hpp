// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dialect/template.hpp"

namespace sub0::dialect {

/// An element of sql_query.parameters (S-63): an accessor or a text with accessors, a generator, a
/// bare word, a constant, or {"literal": x}. A text that stands for a field declared NUMBER or
/// BOOLEAN (query parameters and forms have texts alone) is that number or boolean (S-81). Also
/// holds plain templates, so that all inputs of an action have one type. Immutable after compile():
/// any thread evaluates.
class Parameter {
 public:
  /// The constant null.
  Parameter() = default;
  /// An input under the template rule (S-60).
  explicit Parameter(Template compiled) : template_(std::move(compiled)) {}

  /// Compiles an input under the parameter rule; warns as S-63, S-64 and S-113 say.
  static Parameter compile(const json::Value& source, std::string_view pointer,
                           const CompileContext& context);

  /// The value; borrows from scope, arena and this.
  json::Value evaluate(const Scope& scope, Arena& arena, bool allow_raw = false) const {
    if (is_word_) return lookUp(scope);
    const json::Value value = template_.evaluate(scope, arena, allow_raw);
    return text_of_ == TextOf::kItself ? value : asDeclared(value);
  }

  const Needs& needs() const { return is_word_ ? word_needs_ : template_.needs(); }
  bool isConstant() const { return !is_word_ && template_.isConstant(); }
  bool isBareWord() const { return is_word_; }

 private:
  /// What a text of the field stands for.
  enum class TextOf : std::uint8_t { kItself, kNumber, kBoolean };

  static TextOf textOf(std::string_view field, const Names& names);
  json::Value asDeclared(const json::Value& value) const;
  json::Value lookUp(const Scope& scope) const;
  void warn(std::string_view pointer, const CompileContext& context, const Names& names) const;

  Template template_;
  Needs word_needs_;
  std::string word_;
  bool is_word_ = false;
  TextOf text_of_ = TextOf::kItself;
  bool is_extracted_ = false;       // a `for` of depends_on: nothing else is looked at
  bool is_generated_ = false;       // a `for` of a generator: the same
  bool is_claim_ = false;           // in extract_claims
  bool is_declared_ = false;        // by payload_validation: null where missing
  bool may_be_undeclared_ = false;  // it looks like a name: any field of the payload
};

}  // namespace sub0::dialect
