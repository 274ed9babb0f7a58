// SPDX-License-Identifier: Apache-2.0
#include "dialect/parameter.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/ascii.hpp"
#include "base/contains.hpp"
#include "dialect/accessor.hpp"
#include "dialect/text_formats.hpp"
#include "dialect/value_hints.hpp"

namespace sub0::dialect {

namespace {

// Whether a text may mean a field that nobody declared. A price, a sentence, a JSON text are what
// they are, or any client could put its own values in their place.
bool looksLikeName(std::string_view word) {
  return !word.empty() && isNameStart(word.front()) &&
         std::all_of(word.begin(), word.end(), isNameCharacter);
}

}  // namespace

Parameter Parameter::compile(const json::Value& source, std::string_view pointer,
                             const CompileContext& context) {
  if (json::isObject(source) && source.count == 1) {
    const json::Value* literal = json::find(source, "literal");
    if (literal != nullptr) return Parameter(Template::constant(*literal));
  }
  if (json::isObject(source) && json::find(source, "generate") == nullptr &&
      context.problems != nullptr && context.file != nullptr) {
    std::string doubt = almostSpecial(source);
    if (!doubt.empty()) {
      context.problems->warning(context.file->at(pointer), "S-63",
                                "this object is passed as it stands: " + std::move(doubt));
    }
  }
  if (!json::isText(source) || !findAccessors(json::chars(source), nullptr).empty()) {
    Parameter parameter(Template::compile(source, pointer, context));
    const std::string_view field = parameter.template_.payloadField();
    if (context.names != nullptr) parameter.text_of_ = textOf(field, *context.names);
    return parameter;
  }
  // No accessor: this only warns of what looks like one.
  (void)Template::compile(source, pointer, context);

  static const Names kNoNames;
  const Names& names = context.names == nullptr ? kNoNames : *context.names;
  Parameter parameter;
  parameter.is_word_ = true;
  parameter.word_ = std::string(json::chars(source));
  const std::string_view word = parameter.word_;
  parameter.is_extracted_ = contains(names.extracted, word);
  parameter.is_generated_ = contains(names.generated, word);
  parameter.is_claim_ = contains(names.extracted_claims, word);
  parameter.is_declared_ = contains(names.declared_payload, word);
  parameter.may_be_undeclared_ = looksLikeName(word);
  parameter.text_of_ = textOf(word, names);
  if (parameter.is_extracted_ || parameter.is_generated_) return parameter;
  parameter.word_needs_.claims = parameter.is_claim_;
  const bool is_identity = parameter.is_claim_ && word == "id";
  parameter.word_needs_.payload_fields =
      !is_identity && (parameter.is_declared_ || parameter.may_be_undeclared_);
  parameter.word_needs_.payload_id = word == "id" && !parameter.is_claim_;
  parameter.warn(pointer, context, names);
  const bool is_text = !parameter.is_claim_ && !parameter.word_needs_.payload_fields;
  return is_text ? Parameter(Template::constant(source)) : std::move(parameter);
}

void Parameter::warn(std::string_view pointer, const CompileContext& context,
                     const Names& names) const {
  if (context.problems == nullptr) return;
  const auto place = [&] { return context.file == nullptr ? Place() : context.file->at(pointer); };
  const std::string quoted = "\"" + word_ + "\"";
  if (is_claim_ && is_declared_) {
    context.problems->warning(
        place(), "S-63",
        word_ == "id" ? "claim \"id\" wins over the declared payload field \"id\"; write "
                        "$PAYLOAD.id or $PROTECTED.id to be sure"
                      : quoted + " is the declared payload field, not the claim; write $PAYLOAD." +
                            word_ + " or $PROTECTED." + word_ + " to be sure");
  }
  if (contains(names.claims_of_home, word_)) {
    context.problems->error(
        place(), "S-86",
        "resource \"" + names.taken_by + "\" runs this action, and " + quoted +
            " is none of its extract_claims: it would be what the client sends; add it there, or "
            "write $PROTECTED." +
            word_);
  }
  if (!is_claim_ && !is_declared_ && may_be_undeclared_) {
    context.problems->strictWarning(
        context.strict, place(), "S-64",
        quoted +
            " is declared nowhere: it is this text only while no client sends a field of that "
            "name; write {\"literal\": " +
            quoted + "} or $PAYLOAD." + word_,
        nearestName(word_, names));
  }
  if (word_needs_.payload_id && names.payload_id_is_uid) {
    context.problems->warning(place(), "S-113",
                              "payload \"id\" is the caller's uid when this comes over a socket");
  }
}

Parameter::TextOf Parameter::textOf(std::string_view field, const Names& names) {
  if (contains(names.declared_numbers, field)) return TextOf::kNumber;
  return contains(names.declared_booleans, field) ? TextOf::kBoolean : TextOf::kItself;
}

json::Value Parameter::asDeclared(const json::Value& value) const {
  if (text_of_ == TextOf::kItself || !json::isText(value)) return value;
  const std::string_view text = json::chars(value);
  if (text_of_ == TextOf::kNumber) return isNumberText(text) ? json::ofDigits(text) : value;
  if (text == "true") return json::boolean(true);
  return text == "false" ? json::boolean(false) : value;
}

json::Value Parameter::lookUp(const Scope& scope) const {
  if (is_extracted_) {
    const json::Value* value = findExtracted(scope, word_);
    return value == nullptr ? json::null() : *value;
  }
  if (is_generated_) {
    const json::Value* value = scope.generated == nullptr ? nullptr : scope.generated->find(word_);
    return value == nullptr ? json::null() : *value;
  }
  const json::Value* claim =
      is_claim_ && scope.claims != nullptr ? json::find(*scope.claims, word_) : nullptr;
  if (is_claim_ && word_ == "id") return claim == nullptr ? json::null() : *claim;
  const bool looks = word_needs_.payload_fields && scope.payload != nullptr;
  const json::Value* field = looks ? json::find(*scope.payload, word_) : nullptr;
  if (is_declared_) return field == nullptr ? json::null() : asDeclared(*field);
  if (claim != nullptr) return *claim;
  if (field != nullptr) return *field;
  return is_claim_ ? json::null() : json::text(word_);
}

}  // namespace sub0::dialect
