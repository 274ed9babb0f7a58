// SPDX-License-Identifier: Apache-2.0
// How MysqlSession executes statements, and what it makes of warnings.
#include <Poco/Exception.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "poco_data/mysql_errors.hpp"
#include "poco_data/mysql_instants.hpp"
#include "poco_data/mysql_session.hpp"

namespace sub0::query {
namespace {

constexpr unsigned kNewMetadata = 2057;  // the table has changed since the statement was prepared

constexpr unsigned kRounded = 1265;  // as the server says where it tells

}  // namespace

DataSession::Outcome MysqlSession::execute(const Statement& statement,
                                           const DataParameters& parameters, bool must_not_write) {
  if (!is_in_transaction_ && is_read_only_ != must_not_write) {
    Outcome mode = simple(must_not_write ? "SET SESSION TRANSACTION READ ONLY"
                                         : "SET SESSION TRANSACTION READ WRITE");
    if (mode.end != End::kDone) {
      return mode;
    }
    is_read_only_ = must_not_write;
  }
  Prepared& prepared = prepared_.of(statement.number, [](std::uint32_t, Prepared&) {});
  Outcome outcome;
  bool is_spent = false;
  if (prepareInto(prepared, statement, outcome.failure)) {
    is_spent = prepared.changes_session;  // what it is may go with the connection
    outcome = run(prepared, statement, parameters, must_not_write);
  } else {
    outcome.end = session_ == nullptr ? End::kLost : End::kFailed;
  }
  if (must_not_write && outcome.failure.code == SUB0_UNAVAILABLE && outcome.end == End::kFailed) {
    outcome.failure.code = SUB0_METHOD_NOT_ALLOWED;
    outcome.failure.client = kMustNotWrite;
  }
  is_spent_ = is_spent_ || is_spent;
  if (is_spent_ && !is_in_transaction_) {
    close();
  }
  return outcome;
}

// A read that calls a function may write, too; sent twice, it would do so twice. A write that
// returns rows may fail behind itself, where they have other columns than when it was prepared.
DataSession::Outcome MysqlSession::run(Prepared& prepared, const Statement& statement,
                                       const DataParameters& parameters, bool must_not_write) {
  const std::optional<bool> would_round = wouldRound(prepared, statement, parameters);
  if (!would_round) {
    return failed(mysql_errno(handle()), mysql_error(handle()), statement.sql, Shown::kNoValues);
  }
  if (*would_round) {
    return failed(kRounded, "a fraction for a column of whole numbers", statement.sql,
                  Shown::kNoValues);
  }
  MysqlInstants instants(parameters, statement.sql, prepared.plain_instants);
  const bool may_write = !must_not_write && !statement.reads_only;
  const bool may_fail_late = !parameters.empty() || mysql_stmt_field_count(*prepared.executor) > 0;
  const bool is_undone = (may_write && may_fail_late) ||
                         (!must_not_write && !parameters.empty() && instants.areOpen());
  bool is_renewed = false;
  Outcome outcome;
  do {
    complaint_.clear();
    outcome = is_undone ? runUndoable(prepared, statement, instants.parameters())
                        : runChecked(prepared, statement, instants.parameters());
  } while (session_ != nullptr && outcome.end == End::kFailed &&
           ((isMisfit(last_error_) && instants.tryNext(complaint_)) ||
            (last_error_ == kNewMetadata && !std::exchange(is_renewed, true) &&
             renew(prepared, statement, is_undone || !may_write))));
  if (session_ != nullptr && outcome.end == End::kDone) {
    instants.keep();
  }
  return outcome;
}

// Its rows have other columns now. False: it is not to be sent again.
bool MysqlSession::renew(Prepared& prepared, const Statement& statement, bool has_changed_nothing) {
  prepared.executor.reset();
  Failure ignored;  // the next to use it will meet it
  return prepareInto(prepared, statement, ignored) && has_changed_nothing;
}

// In a transaction of its own, so that what did not fit does not last; within another one, which a
// failure ends anyway, up to a savepoint, so that it can be tried again.
DataSession::Outcome MysqlSession::runUndoable(Prepared& prepared, const Statement& statement,
                                               const DataParameters& parameters) {
  const bool has_own = !is_in_transaction_;
  Outcome begun = simple(has_own ? "START TRANSACTION" : "SAVEPOINT sub0_statement");
  if (begun.end != End::kDone) {
    return begun;
  }
  Outcome outcome = runChecked(prepared, statement, parameters);
  if (session_ == nullptr) {
    return outcome;
  }
  const unsigned number = last_error_;
  const std::string complaint = complaint_;
  const bool lasts = outcome.end == End::kDone || outcome.failure.code == SUB0_RESULT_TOO_LARGE;
  Outcome ended;
  if (has_own) {
    ended = simple(lasts ? "COMMIT" : "ROLLBACK");
  } else if (!lasts && (isMisfit(number) || number == kNewMetadata)) {
    ended = simple("ROLLBACK TO SAVEPOINT sub0_statement");
  } else {
    return outcome;
  }
  if (ended.end != End::kDone) {
    close();
    return lasts ? std::move(ended) : std::move(outcome);
  }
  if (!lasts && mysql_warning_count(handle()) > 0) {  // a table that takes nothing back
    outcome.failure.client += outcome.failure.client.empty() ? "Operation Failed" : "";
    outcome.failure.client += "; the change may have been made: its table has no transactions";
    last_error_ = 0;  // so it is not tried again
    return outcome;
  }
  last_error_ = number;
  complaint_ = complaint;
  return outcome;
}

// With parameters, a warning that a value was cut counts as its failure: a text compared with a
// number, an instant whose zone was not read, a cast that cannot be done. spec S-30
DataSession::Outcome MysqlSession::runChecked(Prepared& prepared, const Statement& statement,
                                              const DataParameters& parameters) {
  last_error_ = 0;
  Outcome outcome = runOnce(prepared, statement, parameters, Shown::kNoValues);
  const bool has_run = outcome.end == End::kDone || outcome.failure.code == SUB0_RESULT_TOO_LARGE;
  return has_run && !parameters.empty() && session_ != nullptr && warnings_ > 0
             ? judged(std::move(outcome), statement)
             : std::move(outcome);
}

DataSession::Outcome MysqlSession::judged(Outcome outcome, const Statement& statement) {
  constexpr std::string_view kAsk = "SHOW WARNINGS";
  if (mysql_real_query(handle(), kAsk.data(), kAsk.size()) != 0) {
    return failed(mysql_errno(handle()), mysql_error(handle()), statement.sql, Shown::kNoValues);
  }
  const MysqlResult result(mysql_store_result(handle()));
  unsigned misfit = 0;
  std::string complaint;
  while (const MYSQL_ROW row = result == nullptr ? nullptr : mysql_fetch_row(result.get())) {
    const auto number = static_cast<unsigned>(std::strtoul(row[1], nullptr, 10));
    if (std::string_view(row[0]) != "Note" && isMisfit(number)) {
      misfit = number;
      complaint.append(row[2]).push_back('\n');
    }
  }
  return misfit == 0 ? std::move(outcome)
                     : failed(misfit, complaint, statement.sql, Shown::kNoValues);
}

DataSession::Outcome MysqlSession::runOnce(Prepared& prepared, const Statement& statement,
                                           const DataParameters& parameters, Shown shown) {
  Outcome outcome;
  Executor& executor = *prepared.executor;
  MYSQL_STMT* const made = executor;
  std::vector<MYSQL_BIND> bound = bindMysql(parameters);
  if (bound.size() != mysql_stmt_param_count(made)) {
    outcome.failure =
        Failure{SUB0_ACTION_FAILED,
                "the database counts " + std::to_string(mysql_stmt_param_count(made)) +
                    " parameters in: " + statement.sql,
                ""};
    return outcome;
  }
  auto tree = std::make_unique<ResultTree>(result_limit_bytes_);
  bool is_done = false;
  warnings_ = 0;
  try {
    executor.bindParams(bound.data(), bound.size());
    executor.execute();
    is_done = readRows(prepared, *tree);
  } catch (const Poco::Exception&) {
    is_done = false;
  }
  if (tree->isOver()) {
    return giveUp(executor, statement, *tree);
  }
  if (!is_done) {
    // What fails behind the first rows, or in place of them, the library keeps at the connection.
    const bool is_of_statement = mysql_stmt_errno(made) != 0;
    const unsigned number = is_of_statement ? mysql_stmt_errno(made) : mysql_errno(handle());
    const std::string message = is_of_statement ? mysql_stmt_error(made) : mysql_error(handle());
    mysql_stmt_free_result(made);
    return failed(number, message, statement.sql, shown);
  }
  outcome.end = End::kDone;
  outcome.tree = std::move(tree);
  return outcome;
}

// The number stands in the packet that ends the rows, where the library does not read it.
unsigned MysqlSession::warningsOfRows() {
  constexpr unsigned char kEnd = 0xFE;
  constexpr unsigned long kOtherEnd = 1UL << 24U;  // CLIENT_DEPRECATE_EOF
  const unsigned char* const packet = handle()->net.read_pos;
  if (packet == nullptr || packet[0] != kEnd || (handle()->client_flag & kOtherEnd) != 0) {
    return 1;  // to be asked for
  }
  return packet[1] + (unsigned{packet[2]} << 8U);
}

// The rows of the statement's first result; what a procedure returns besides is read over. False:
// the statement's error says why.
bool MysqlSession::readRows(Prepared& prepared, ResultTree& tree) {
  Executor& executor = *prepared.executor;
  MYSQL_STMT* const made = executor;
  const MysqlResult columns(mysql_stmt_result_metadata(made));
  if (columns == nullptr) {
    warnings_ = mysql_warning_count(handle());
    return mysql_stmt_errno(made) == 0;
  }
  MysqlRows rows(made, *columns, *handle(), prepared.known);
  executor.bindResult(rows.binds());
  tree.setColumns(rows.names());
  int status = mysql_stmt_fetch(made);
  while ((status == 0 || status == MYSQL_DATA_TRUNCATED) && !tree.isOver()) {
    rows.add(tree);
    status = tree.isOver() ? MYSQL_NO_DATA : mysql_stmt_fetch(made);
  }
  if (status != MYSQL_NO_DATA || tree.isOver()) {
    return false;
  }
  warnings_ = warningsOfRows();
  mysql_stmt_free_result(made);
  while (mysql_stmt_next_result(made) == 0) {
    mysql_stmt_free_result(made);
    warnings_ = std::max(warnings_, mysql_warning_count(handle()));
  }
  return mysql_stmt_errno(made) == 0;
}

// Over the limit: a read ends with its connection, so that nothing more is sent; a write is read to
// its end, so that it is known to have been done.
DataSession::Outcome MysqlSession::giveUp(Executor& executor, const Statement& statement,
                                          const ResultTree& tree) {
  Outcome outcome;
  outcome.failure = resultOver(tree, statement.reads_only);
  if (statement.reads_only) {
    {
      const std::lock_guard lock(socket_mutex_);
      shutdown(socket_, SHUT_RDWR);
    }
    close();
  } else if (mysql_stmt_free_result(executor) == 0) {
    warnings_ = warningsOfRows();
    outcome.failure.client += is_in_transaction_ ? "" : "; the change was made";
  } else {
    outcome.end = End::kLost;
    close();
  }
  return outcome;
}

}  // namespace sub0::query
