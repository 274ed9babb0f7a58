// SPDX-License-Identifier: Apache-2.0
#include "insert_values.hpp"

#include <utility>

#include "sql_tables.hpp"

namespace sub0::query {
namespace {

class InsertReader {
 public:
  InsertReader(const TokenList& list, std::size_t verb) : list_(list), at_(verb + 1) {}

  InsertValues read() {
    InsertValues insert;
    if (list_.isWord(at_, "OR")) {
      insert.has_conflict = true;
      at_ += 2;
    }
    at_ += list_.isWord(at_, "INTO") ? 1 : 0;
    insert.table_tokens.begin = at_;
    insert.table = isName(list_, at_) ? foldedName(list_, at_) : "";
    ++at_;
    while (list_.isSign(at_, ".") && isName(list_, at_ + 1)) {
      insert.table = foldedName(list_, at_ + 1);
      at_ += 2;
    }
    insert.table_tokens.end = at_;
    at_ += list_.isWord(at_, "AS") ? 2 : 0;
    readColumns(insert);
    while (at_ < list_.size() && !list_.isWord(at_, "VALUES") && !list_.isWord(at_, "SELECT") &&
           !list_.isWord(at_, "DEFAULT")) {
      ++at_;  // OVERRIDING USER VALUE
    }
    if (list_.isWord(at_, "VALUES")) {
      ++at_;
      readRows(insert);
    }
    for (std::size_t i = at_; i + 1 < list_.size(); ++i) {
      insert.has_conflict =
          insert.has_conflict || (list_.isWord(i, "ON") && list_.isWord(i + 1, "CONFLICT"));
    }
    return insert;
  }

 private:
  void readColumns(InsertValues& insert) {
    if (!list_.isSign(at_, "(")) {
      return;
    }
    const std::size_t behind = behindBracket(list_, at_);
    for (std::size_t i = at_ + 1; i + 1 < behind; i += 2) {
      insert.columns.push_back(isName(list_, i) ? foldedName(list_, i) : "");
    }
    at_ = behind;
  }

  void readRows(InsertValues& insert) {
    while (list_.isSign(at_, "(")) {
      const std::size_t behind = behindBracket(list_, at_);
      std::vector<TokenRange> row;
      std::size_t begin = at_ + 1;
      for (std::size_t i = begin; i + 1 < behind;) {
        if (list_.isSign(i, ",")) {
          row.push_back({begin, i});
          begin = i + 1;
        }
        i = list_.isSign(i, "(") || list_.isSign(i, "[") ? behindBracket(list_, i) : i + 1;
      }
      row.push_back({begin, behind - 1});
      insert.rows.push_back(std::move(row));
      at_ = list_.isSign(behind, ",") ? behind + 1 : behind;
    }
  }

  const TokenList& list_;
  std::size_t at_;
};

}  // namespace

InsertValues insertValuesOf(const TokenList& list, std::size_t verb) {
  return InsertReader(list, verb).read();
}

}  // namespace sub0::query
