// SPDX-License-Identifier: Apache-2.0
#pragma once

// sub0's values as those of Poco, and back: for plugins that stand on Poco. Needs Poco's Foundation
// and JSON, header and library, and nothing else of Poco.
//   Poco::Dynamic::Var var = sub0::toVar(run.input(payload_));
//   run.completeBlob(sub0::fromVar(var));
// Nothing is lost: int64 and uint64 stay whole, a number with more digits than a double becomes a
// sub0::ExactNumber, which Poco's JSON writes with all of them; texts keep their NUL characters;
// members keep their order.
// OWNERSHIP: both sides copy. THREAD: any. ERRORS: Poco::Exception, for raw JSON that is none, and
// for a Var that holds a type which cannot be shown as text.

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/LocalDateTime.h>
#include <Poco/NumberParser.h>
#include <Poco/Timestamp.h>

#include <sub0/plugin/value.hpp>

namespace sub0 {

// A JSON number that no type of C++ holds exactly: its digits.
class ExactNumber {
 public:
  ExactNumber() = default;
  explicit ExactNumber(std::string_view digits) : digits_(digits) {}
  const std::string& digits() const { return digits_; }

 private:
  std::string digits_ = "0";
};

// An array becomes a Poco::JSON::Array::Ptr, an object a Poco::JSON::Object::Ptr, null an empty
// Var.
Poco::Dynamic::Var toVar(Value value);
// REQUIRES: isArray(), isObject()
Poco::JSON::Array::Ptr toArray(Value value);
Poco::JSON::Object::Ptr toObject(Value value);

// Dates become texts of ISO-8601 in UTC, infinities and NaN null; what is no JSON value its text.
Tree fromVar(const Poco::Dynamic::Var& var);
Tree fromArray(const Poco::JSON::Array& array);
Tree fromObject(const Poco::JSON::Object& object);

}  // namespace sub0

// How a Var holds such a number: a number to whoever asks, converted as far as the target can.
template <>
class Poco::Dynamic::VarHolderImpl<sub0::ExactNumber> : public Poco::Dynamic::VarHolder {
 public:
  VarHolderImpl(const sub0::ExactNumber& number) : number_(number) {}
  const std::type_info& type() const override { return typeid(sub0::ExactNumber); }
  const sub0::ExactNumber& value() const { return number_; }
  VarHolder* clone(Placeholder<VarHolder>* place = nullptr) const override {
    return cloneHolder(place, number_);
  }

  using VarHolder::convert;
  void convert(Poco::Int64& to) const override { to = Poco::NumberParser::parse64(digits()); }
  void convert(Poco::UInt64& to) const override {
    to = Poco::NumberParser::parseUnsigned64(digits());
  }
  void convert(double& to) const override { to = Poco::NumberParser::parseFloat(digits()); }
  void convert(std::string& to) const override { to = digits(); }
  bool isNumeric() const override { return true; }
  bool isSigned() const override { return true; }
  bool isInteger() const override { return digits().find_first_of(".eE") == std::string::npos; }
  bool isArray() const override { return false; }

 private:
  const std::string& digits() const { return number_.digits(); }
  sub0::ExactNumber number_;
};

namespace sub0 {
namespace detail {

inline Poco::Dynamic::Var varOfNumber(std::string_view digits) {
  const std::string text(digits);
  Poco::Int64 whole = 0;
  Poco::UInt64 large = 0;
  if (Poco::NumberParser::tryParse64(text, whole)) return whole;
  if (Poco::NumberParser::tryParseUnsigned64(text, large)) return large;
  return ExactNumber(digits);
}

inline Tree treeOfInstant(const Poco::DateTime& instant) {
  return Tree(Literal(Poco::DateTimeFormatter::format(instant, "%Y-%m-%dT%H:%M:%S.%iZ")));
}

inline Tree treeOfNumber(const Poco::Dynamic::Var& var) {
  if (var.type() == typeid(ExactNumber)) {
    return Tree(Literal::number(var.extract<ExactNumber>().digits()));
  }
  if (!var.isInteger()) return Tree(Literal(var.convert<double>()));
  if (var.isSigned()) return Tree(Literal(var.convert<Poco::Int64>()));
  const auto large = var.convert<Poco::UInt64>();
  if (large > static_cast<Poco::UInt64>((std::numeric_limits<int64_t>::max)())) {
    return Tree(Literal::number(std::to_string(large)));
  }
  return Tree(Literal(static_cast<int64_t>(large)));
}

}  // namespace detail

inline Poco::JSON::Array::Ptr toArray(Value value) {
  Poco::JSON::Array::Ptr array = new Poco::JSON::Array(Poco::JSON_PRESERVE_KEY_ORDER);
  for (Value item : value.items()) array->add(toVar(item));
  return array;
}

inline Poco::JSON::Object::Ptr toObject(Value value) {
  Poco::JSON::Object::Ptr object = new Poco::JSON::Object(Poco::JSON_PRESERVE_KEY_ORDER);
  for (Member member : value.members()) object->set(std::string(member.key), toVar(member.value));
  return object;
}

inline Poco::Dynamic::Var toVar(Value value) {
  switch (value.type()) {
    case SUB0_BOOL:
      return value.asBool();
    case SUB0_INT:
      return Poco::Int64{value.raw()->as.i};
    case SUB0_DOUBLE:
      return value.raw()->as.d;
    case SUB0_NUMBER:
      return detail::varOfNumber(value.asText());
    case SUB0_TEXT:
      return std::string(value.asText());
    case SUB0_RAW:
      return Poco::JSON::Parser().parse(std::string(value.asText()));
    case SUB0_ARRAY:
      return toArray(value);
    case SUB0_OBJECT:
      return toObject(value);
    default:
      return {};
  }
}

inline Tree fromArray(const Poco::JSON::Array& array) {
  Tree tree = Tree::array();
  for (const Poco::Dynamic::Var& item : array) tree.push(fromVar(item));
  return tree;
}

inline Tree fromObject(const Poco::JSON::Object& object) {
  Tree tree = Tree::object();
  for (const std::string& name : object.getNames()) tree.set(name, fromVar(object.get(name)));
  return tree;
}

inline Tree fromVar(const Poco::Dynamic::Var& var) {
  const auto is = [&](const std::type_info& type) { return !var.isEmpty() && var.type() == type; };
  if (var.isEmpty()) return {};
  if (is(typeid(Poco::JSON::Object::Ptr))) {
    const auto& object = var.extract<Poco::JSON::Object::Ptr>();
    return object.isNull() ? Tree() : fromObject(*object);
  }
  if (is(typeid(Poco::JSON::Array::Ptr))) {
    const auto& array = var.extract<Poco::JSON::Array::Ptr>();
    return array.isNull() ? Tree() : fromArray(*array);
  }
  if (is(typeid(Poco::JSON::Object))) return fromObject(var.extract<Poco::JSON::Object>());
  if (is(typeid(Poco::JSON::Array))) return fromArray(var.extract<Poco::JSON::Array>());
  if (var.isBoolean()) return Tree(Literal(var.convert<bool>()));
  if (is(typeid(char))) return Tree(Literal(std::string(1, var.extract<char>())));
  if (is(typeid(Poco::DateTime))) return detail::treeOfInstant(var.extract<Poco::DateTime>());
  if (is(typeid(Poco::LocalDateTime))) {
    return detail::treeOfInstant(var.extract<Poco::LocalDateTime>().utc());
  }
  if (is(typeid(Poco::Timestamp))) {
    return detail::treeOfInstant(Poco::DateTime(var.extract<Poco::Timestamp>()));
  }
  if (var.isNumeric()) return detail::treeOfNumber(var);
  if (!var.isString() && (var.isVector() || var.isList() || var.isDeque())) {
    Tree tree = Tree::array();
    for (const Poco::Dynamic::Var& item : var) tree.push(fromVar(item));
    return tree;
  }
  return Tree(Literal(var.convert<std::string>()));
}

}  // namespace sub0
