// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine.hpp"
#include "postgres/postgres_arrays.hpp"
#include "postgres/postgres_traits.hpp"
#include "postgres/postgres_values.hpp"
#include "postgres/postgres_wire.hpp"
#include "recycled.hpp"

namespace sub0::query {

// One piece of work on its way through the connections: a statement of a run, the end of a
// transaction, or a look at a statement. Handed from one owner to the next, so each is ended once.
struct PostgresRequest final : Recycled<PostgresRequest> {
  enum class Kind {
    kRun,
    kLook,      // prepares the statement and looks up what it calls; has no ticket
    kCommit,    // of the transaction `call_id`
    kRollback,  // the same; has no ticket
  };

  // A state of ours: others like it have taken too long, and it has not been tried since.
  static constexpr const char* kIsSlow = "slow";

  // Not made by make_unique, which would clear all its memory first.
  static std::unique_ptr<PostgresRequest> make(Kind kind) {
    auto request = std::make_unique_for_overwrite<PostgresRequest>();
    request->kind = kind;
    return request;
  }

  // First what each step on its way looks at, in few lines of the cache.
  Kind kind = Kind::kRun;
  bool must_not_write = false;      // a GET
  bool is_in_transaction = false;   // of its call
  bool begins_transaction = false;  // is the first in it
  bool cleans_behind = false;       // is the last for which the session is kept
  bool is_passed_on = false;        // came from another loop
  bool is_quiet = false;            // a look whose failure is no news
  bool is_aborted = false;          // another statement before the same sync has failed
  bool needs_own_sync = false;      // was aborted once
  bool has_ended = false;           // its run has: what still comes is dropped
  bool is_prepared_for = true;      // the statement was prepared right before it
  bool is_renewed = false;          // the statement was prepared anew for it
  bool is_refused = false;          // as it stands, for the types of its parameters
  bool asks_types = false;       // it was not executed: only which parameters are arrays was asked
  std::uint32_t generation = 0;  // of the prepared statement that it was sent with
  std::uint32_t attempts = 0;
  std::uint64_t deadline_ns = 0;
  sub0_ticket ticket = 0;
  StatementPointer statement;      // none: kCommit, kRollback
  PostgresTraitsPointer traits;    // the same
  PostgresFormPointer form;        // in which it was sent
  PostgresColumnsPointer columns;  // of its rows, as far as the server has told them
  std::unique_ptr<ResultTree> tree;
  std::string state;  // SQLSTATE of the failure, or a word of ours; empty: it has not failed
  Failure failure;
  std::size_t untyped = 0;  // of 42P08 and 42P18: which parameter
  std::uint64_t call_id = 0;
  std::string transaction_sql;  // of a commit: all its statements, which its errors may be about
  PostgresParameters parameters;
  std::unique_ptr<PostgresArrays> arrays;  // none: no parameter is a JSON array

  // To be sent again: for another connection, or after so many attempts on this one.
  void makeAsNew(std::uint32_t attempts_before = 0) {
    failure = Failure{};
    state.clear();
    attempts = attempts_before;
    is_renewed = is_renewed && attempts > 0;
    is_aborted = needs_own_sync = is_refused = asks_types = false;
  }
  // The form in which it is sent next.
  void putAs(const PostgresFormPointer& with);
  bool isLook() const { return kind == Kind::kLook; }
  bool hasRun() const { return kind == Kind::kRun || kind == Kind::kCommit; }
  // Whether it alone may have changed something that lasts, where its answer is not in. On a reader
  // nothing can.
  bool mayHaveChanged(bool is_reader) const;
  std::string sql() const { return statement == nullptr ? transaction_sql : statement->sql; }
  // For the log: whose it is.
  std::string place() const { return statement == nullptr ? "the commit" : statement->place; }
};
using PostgresRequestPointer = std::unique_ptr<PostgresRequest>;

// What a statement is called where it is prepared for the `generation`-th time.
std::string nameOf(const Statement& statement, std::uint32_t generation);

// A look at the statement.
PostgresRequestPointer lookAt(const StatementPointer& statement,
                              const PostgresTraitsPointer& traits);

// Makes it fail, unless it has failed already; `state` is the reason as a word.
void failRequest(PostgresRequest& request, const char* state, const Failure& failure);

// The failure as one after which it is not known whether the change was made.
Failure inDoubt(Failure failure);

// Ends its run with its rows or its failure, or logs what a look has found. Once.
void endRequest(const HostPort& host, PostgresRequest& request, std::size_t limit_bytes);

Failure unreachable(const std::string& why);
Failure closing();

}  // namespace sub0::query
