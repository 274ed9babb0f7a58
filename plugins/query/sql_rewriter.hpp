// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sql_tokens.hpp"

namespace sub0::query {

// A statement in the words of one database, and what it has no words for.
struct Rewritten {
  std::string sql;
  std::vector<std::string> errors;
};

// Resources write PostgreSQL's SQL; what another database spells differently is rewritten on
// tokens, once at load, by a class of that database on top of this one, which knows casts and how
// texts are put into a statement. Used once. THREAD: one. spec S-30
class SqlRewriter {
 public:
  SqlRewriter(const TokenList& list, std::string where) : list_(list), where_(std::move(where)) {}
  virtual ~SqlRewriter() = default;
  SqlRewriter(const SqlRewriter&) = delete;
  SqlRewriter& operator=(const SqlRewriter&) = delete;

  Rewritten run();

 protected:
  struct TypeName {
    std::string name;       // capitals, without length
    std::size_t behind;     // the index of the token behind it
    std::string arguments;  // "(10,2)"
    bool is_array = false;
  };
  struct Cast {
    std::string prefix;
    std::string suffix;
  };

  // Look at one token each. A word is one that stands behind no dot, in capitals.
  virtual void visitOperator(std::size_t i) = 0;
  virtual void visitWord(std::size_t /*i*/, const std::string& /*word*/, bool /*is_call*/) {}
  virtual void visitString(std::size_t /*i*/) {}
  virtual void visitPunctuation(std::size_t /*i*/) {}
  virtual void visitParameter(std::size_t i) { replace(i, i + 1, "?"); }
  // How the database casts to that type; an empty prefix: it cannot.
  virtual Cast castTo(const TypeName& type) const = 0;
  // That type as an error names it.
  virtual std::string shown(const TypeName& type) const {
    return type.name + (type.is_array ? "[]" : "");
  }

  std::size_t begin(std::size_t i) const {
    return i < list_.size() ? list_.tokens[i].begin : list_.sql.size();
  }
  // Puts text in the place of the tokens from `from` to before `behind`.
  void replace(std::size_t from, std::size_t behind, const std::string& text);
  // Puts text behind token `last`, and behind all that else takes its place.
  void insertBehind(std::size_t last, const std::string& text);
  // What stands before token `i` has been seen to.
  void goOnAt(std::size_t i) { next_ = i; }
  // What the statement uses does not exist here.
  void cannot(std::size_t at, const std::string& what);
  // Where `?` is what parameters become: a sign with it would be taken for one. True: it was.
  bool refuseQuestionMark(std::size_t i);
  // E'text', U&'text', $$text$$ and such.
  void cannotReadString(std::size_t i);
  bool hasErrors() const { return !result_.errors.empty(); }
  // x::type
  void castByColons(std::size_t i);
  // CAST(x AS type)
  void castByWord(std::size_t i);
  bool endsOperand(std::size_t i) const;
  // Whether the `||` or `-` at token `i` is one of jsonb.
  bool isOfJson(std::size_t i) const;
  // + and - beside a date or an instant: its first token, and the one behind it.
  void refuseArithmeticOfDates(std::size_t first, std::size_t behind);
  // What to write instead.
  virtual std::string insteadOfDates() const { return {}; }

  const TokenList& list_;

 private:
  struct Edit {
    std::string before;       // put in front of what stands here
    std::string replacement;  // instead of what reaches to `end`
    std::size_t end = 0;
  };

  enum class Operand { kUnknown, kText, kJson, kJsonb };

  void visit(std::size_t i);
  Operand kindOfOperand(std::size_t first, std::size_t behind) const;
  std::size_t behindOperand(std::size_t first) const;
  TypeName typeAt(std::size_t i) const;
  bool isTime(const TypeName& type) const;
  bool isSpan(std::size_t i) const;
  bool canCast(std::size_t i, std::size_t begin, const TypeName& type, const Cast& cast);
  std::size_t operandBefore(std::size_t colons) const;
  bool isTypeOfCast(std::size_t at) const;
  std::size_t colonsBefore(std::size_t at) const;
  std::size_t openingOf(std::size_t close) const;
  std::size_t caseOf(std::size_t end) const;

  std::string where_;  // " exists on PostgreSQL only"
  std::map<std::size_t, Edit> edits_;
  std::set<std::size_t> refused_signs_;
  std::size_t next_ = 0;  // the token to be looked at
  Rewritten result_;
};

// Types of PostgreSQL that no other database can stand in for.
bool isOfPostgresAlone(std::string_view type);
// DAY, HOUR_MINUTE and such, as MariaDB knows them; in capitals.
bool isUnitOfTime(std::string_view word);

}  // namespace sub0::query
