// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_traits.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "sql_analysis.hpp"

namespace sub0::query {
namespace {

// What starts with another word (CREATE, DO, CALL, VACUUM, ...) may take long or leave something
// behind, and is no daily work.
constexpr std::array<std::string_view, 11> kSharedVerbs = {"SELECT", "VALUES", "TABLE",  "INSERT",
                                                           "UPDATE", "DELETE", "MERGE",  "SHOW",
                                                           "WITH",   "NOTIFY", "EXPLAIN"};
// Functions of pg_catalog whose effect stays in the session, that depend on what another call left
// there, or that execute a text as SQL.
constexpr std::array<std::string_view, 11> kSessionFunctions = {
    "set_config", "pg_advisory_", "pg_try_advisory_", "currval",    "lastval", "setseed",
    "query_to_",  "cursor_to_",   "ts_stat",          "ts_rewrite", "lo_"};

// The name as the server sees it; empty: the token is none.
std::string nameOnServer(const TokenList& list, std::size_t index) {
  const std::string_view name = list.text(index);
  if (list.tokens[index].kind == TokenKind::kWord) {
    return smallLetters(name);
  }
  if (list.tokens[index].kind != TokenKind::kQuotedName || name.size() < 2) {
    return {};
  }
  std::string plain;
  for (std::size_t i = 1; i + 1 < name.size(); ++i) {
    plain.push_back(name[i]);
    i += name[i] == '"' ? 1 : 0;  // a quote is written twice
  }
  return plain;
}

bool isSessionFunction(const std::string& name) {
  return std::any_of(kSessionFunctions.begin(), kSessionFunctions.end(),
                     [&](std::string_view each) { return name.rfind(each, 0) == 0; });
}

bool makesTemporaryTable(const TokenList& list, std::size_t into) {
  const auto is_word = [&](std::string_view word) { return list.isWord(into + 1, word); };
  return list.isWord(into, "INTO") &&
         (is_word("TEMP") || is_word("TEMPORARY") || is_word("LOCAL") || is_word("GLOBAL"));
}

// {"a","b"}: every element in quotes, so that any name fits.
std::string arrayOf(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += text.empty() ? "{\"" : ",\"";
    for (const char c : name) {
      if (c == '"' || c == '\\') {
        text.push_back('\\');
      }
      text.push_back(c);
    }
    text += '"';
  }
  return text + "}";
}

}  // namespace

PostgresTraits::PostgresTraits(const Statement& statement)
    : reads_only_(statement.reads_only),
      first_form_(std::make_shared<const PostgresForm>(statement.sql)),
      form_(first_form_) {
  const TokenList list = tokenize(statement.sql, Dialect::kPostgres);
  const std::string verb = analyse(list, Dialect::kPostgres).verb;
  const auto is_verb = [&](std::string_view each) { return verb == each; };
  bool needs_own = std::none_of(kSharedVerbs.begin(), kSharedVerbs.end(), is_verb);
  std::set<std::string> called;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string name = nameOnServer(list, i);
    needs_own = needs_own || makesTemporaryTable(list, i) || name == "pg_temp";
    if (!name.empty() && list.isSign(i + 1, "(")) {
      needs_own = needs_own || isSessionFunction(name);
      called.insert(name);
    }
  }
  if (needs_own) {
    verdict_ = Verdict::kOwn;
  } else if (called.empty()) {
    verdict_ = Verdict::kShared;
  } else {
    called_names_ = arrayOf(called);
  }
}

PostgresFormPointer PostgresTraits::form() const {
  const std::lock_guard lock(form_mutex_);
  return form_;
}

bool PostgresTraits::learnRefusal(const PostgresFormPointer& form, const std::string& state,
                                  std::size_t number, Failure& failure) {
  const std::lock_guard lock(form_mutex_);
  if (form_ != form) {
    return true;  // another run has learned something meanwhile
  }
  form_ = form->next(state, number, failure);
  if (form_ != nullptr) {
    return true;
  }
  form_ = first_form_;
  if (form->firstFailure() != nullptr) {
    failure = *form->firstFailure();
  }
  return false;
}

PostgresTraitsPointer PostgresTraitsTable::of(const Statement& statement) {
  const std::lock_guard lock(mutex_);
  PostgresTraitsPointer& entry =
      entries_.of(statement.number, [](std::uint32_t, const PostgresTraitsPointer&) {});
  if (entry == nullptr) {
    entry = std::make_shared<PostgresTraits>(statement);
  }
  return entry;
}

}  // namespace sub0::query
