// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_instants.hpp"

#include <algorithm>

#include "sql_tokens.hpp"

namespace sub0::query {
namespace {

// By place of `?`: whether it is cast to a time.
std::vector<bool> castsToTime(const std::string& sql) {
  const TokenList list = tokenize(sql, Dialect::kMysql);
  std::vector<bool> casts;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.isSign(i, "?")) {
      casts.push_back(list.isWord(i + 1, "AS") && list.isWord(i + 2, "DATETIME"));
    }
  }
  return casts;
}

}  // namespace

MysqlInstants::MysqlInstants(const DataParameters& parameters, const std::string& sql,
                             std::vector<bool>& is_plain)
    : given_(parameters), sent_(parameters), plain_(parameters.size()), remembered_(is_plain) {
  if (remembered_.size() != parameters.size()) {
    remembered_ = castsToTime(sql);
    remembered_.resize(parameters.size());
  }
  is_plain_ = remembered_;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].kind == DataParameter::Kind::kText &&
        !toPlainInstant(parameters[i].text, plain_[i])) {
      plain_[i].clear();
    }
    setPlain(i, is_plain_[i]);
  }
}

void MysqlInstants::setPlain(std::size_t place, bool is_plain) {
  is_plain_[place] = is_plain;
  if (!plain_[place].empty()) {
    sent_[place].text = is_plain ? plain_[place] : given_[place].text;
  }
}

bool MysqlInstants::areOpen() const {
  for (std::size_t i = 0; i < plain_.size(); ++i) {
    if (!plain_[i].empty() && !is_plain_[i]) {
      return true;
    }
  }
  return false;
}

std::vector<std::size_t> MysqlInstants::placesOf(std::string_view said) const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < plain_.size(); ++i) {
    const bool is_open = !plain_[i].empty() && !is_plain_[i];
    const bool is_of_same = places.empty() || given_[i].text == given_[places.front()].text;
    if (is_open && is_of_same && said.find(given_[i].text) != std::string_view::npos) {
      places.push_back(i);
    }
  }
  return places;
}

bool MysqlInstants::tryNext(std::string_view said) {
  const bool was_wrong =
      !tried_.empty() && said.find(given_[tried_.front()].text) != std::string_view::npos;
  if (!was_wrong) {
    tried_ = placesOf(said);
    at_ = 0;
  } else if (tried_.size() == 1 || at_ == tried_.size()) {
    return false;
  } else {
    setPlain(tried_[at_], false);
    ++at_;
  }
  if (tried_.empty()) {
    return false;
  }
  for (const std::size_t place : tried_) {
    setPlain(place, at_ == tried_.size() || place == tried_[at_]);
  }
  return true;
}

void MysqlInstants::keep() {
  for (std::size_t i = 0; i < plain_.size(); ++i) {
    remembered_[i] = is_plain_[i];
  }
}

std::vector<std::string> literalsWithZone(const TokenList& list) {
  std::vector<std::string> doubts;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string_view text = list.text(i);
    if (list.tokens[i].kind != TokenKind::kString || text.size() < 2 || text[0] != '\'') {
      continue;
    }
    std::string plain;
    if (toPlainInstant(std::string(text.substr(1, text.size() - 2)), plain)) {
      doubts.push_back("MariaDB reads no zone in the text " + std::string(text) + placeOf(list, i) +
                       ": beside a column of instants a call compares another time, or "
                       "fails; there write '" +
                       plain + "', which counts as UTC");
    }
  }
  return doubts;
}

}  // namespace sub0::query
