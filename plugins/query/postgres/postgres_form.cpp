// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_form.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "sql_tokens.hpp"

namespace sub0::query {
namespace {

constexpr Oid kTextType = 25;
constexpr std::uint64_t kBetweenQuestionsNs = 1'000'000'000;

}  // namespace

PostgresForm::PostgresForm(std::string statement, std::set<std::size_t> apart,
                           std::vector<Oid> types, std::shared_ptr<const Failure> first_failure)
    : statement_(std::move(statement)),
      apart_(std::move(apart)),
      types_(std::move(types)),
      first_failure_(std::move(first_failure)) {
  const TokenList list = tokenize(statement_, Dialect::kPostgres);
  for (const Token& token : list.tokens) {
    if (token.kind == TokenKind::kParameter && token.number > 0) {
      places_.resize(std::max<std::size_t>(places_.size(), token.number), 0);
      ++places_[token.number - 1];
    }
  }
  if (apart_.empty()) {
    sql_ = statement_;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      sources_.push_back(i);
    }
    return;
  }
  std::map<std::size_t, std::size_t> numbers;  // of those that are one for all their places
  std::size_t copied = 0;
  for (const Token& token : list.tokens) {
    if (token.kind != TokenKind::kParameter || token.number == 0) {
      continue;
    }
    const std::size_t source = token.number - 1;
    std::size_t& number = numbers[source];
    if (number == 0 || apart_.count(source) > 0) {
      sources_.push_back(source);
      number = sources_.size();
    }
    sql_.append(statement_, copied, token.begin - copied);
    sql_ += "$" + std::to_string(number);
    copied = token.end;
  }
  sql_.append(statement_, copied, std::string::npos);
}

bool PostgresForm::isText(std::size_t parameter) const {
  return parameter < types_.size() && types_[parameter] == kTextType;
}

// Those that text did not help, else all that have several places; the same as before: none is
// left.
std::set<std::size_t> PostgresForm::nextApart() const {
  std::set<std::size_t> apart = apart_;
  for (std::size_t i = 0; i < count(); ++i) {
    if (isText(i) && places_[sources_[i]] > 1) {
      apart.insert(sources_[i]);
    }
  }
  for (std::size_t i = 0; i < places_.size() && apart.size() == apart_.size(); ++i) {
    for (std::size_t each = i; each < places_.size(); ++each) {
      if (places_[each] > 1) {
        apart.insert(each);
      }
    }
  }
  return apart;
}

PostgresFormPointer PostgresForm::next(const std::string& state, std::size_t number,
                                       const Failure& failure) const {
  const bool is_untyped = state == "42P08" || state == "42P18";
  if (first_failure_ == nullptr && !is_untyped && state != "42883" && state != "42804") {
    return nullptr;
  }
  auto first =
      first_failure_ != nullptr ? first_failure_ : std::make_shared<const Failure>(failure);
  const auto made = [&](std::set<std::size_t> apart, std::vector<Oid> types) {
    return PostgresFormPointer(
        new PostgresForm(statement_, std::move(apart), std::move(types), std::move(first)));
  };
  if (is_untyped) {
    std::vector<Oid> types = types_;
    types.resize(count(), 0);
    if (number >= 1 && number <= count()) {
      types[number - 1] = kTextType;
    } else {
      std::fill(types.begin(), types.end(), kTextType);
    }
    if (types != types_) {
      return made(apart_, std::move(types));
    }
  }
  const std::set<std::size_t> apart = nextApart();
  if (apart == apart_) {
    return nullptr;
  }
  return made(apart, {});  // what still cannot be told is told again to be text
}

std::optional<std::vector<Oid>> PostgresForm::elements() const {
  const std::lock_guard lock(elements_mutex_);
  return elements_;
}

void PostgresForm::learnElements(std::vector<Oid> elements) const {
  const std::lock_guard lock(elements_mutex_);
  elements_ = std::move(elements);
}

void PostgresForm::forgetElements(std::uint64_t now_ns) const {
  const std::lock_guard lock(elements_mutex_);
  if (now_ns >= forgettable_at_ns_) {
    forgettable_at_ns_ = now_ns + kBetweenQuestionsNs;
    elements_.reset();
  }
}

}  // namespace sub0::query
