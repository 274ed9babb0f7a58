// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_session.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include "sqlite/sqlite_connection.hpp"
#include "sqlite/sqlite_rewrite.hpp"

namespace sub0::query {
namespace {

using Status = SqliteConnection::Status;

class SqliteSession final : public SqlSession {
 public:
  SqliteSession(std::string path, std::size_t limit_bytes, WriteCount& writes)
      : path_(std::move(path)),
        connection_(SqliteConnection::Use::kFree, limit_bytes),
        writes_(writes) {}

  std::unique_ptr<ResultTree> execute(std::string_view sql, bool is_script,
                                      const sub0_value& parameters, Failure& failure) override {
    std::string error;
    if (is_cancelled_ || (!is_open_ && !connection_.open(path_, error))) {
      failure =
          Failure{SUB0_UNAVAILABLE, is_cancelled_ ? "the database is being closed" : error, ""};
      return nullptr;
    }
    is_open_ = true;
    connection_.setWait([this](int calls) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      return calls < 1000 && !is_cancelled_;
    });
    Rewritten rewritten = rewriteForSqlite(tokenize(sql, Dialect::kSqlite));
    if (!rewritten.errors.empty()) {
      failure = Failure{SUB0_ACTION_FAILED, rewritten.errors.front(), ""};
      return nullptr;
    }
    SqliteParameters bound;
    for (std::uint32_t i = 0; parameters.type == SUB0_ARRAY && i < parameters.count; ++i) {
      bound.push_back(toSqlite(parameters.as.items[i]));
    }
    std::string_view rest = rewritten.sql;
    std::unique_ptr<ResultTree> last;
    do {
      const auto begin = static_cast<std::size_t>(rest.data() - rewritten.sql.data());
      SqliteConnection::Outcome outcome = connection_.executeOnce(rest, bound, &rest);
      writes_.fetch_add(1, std::memory_order_release);
      if (outcome.status != Status::kDone) {
        failure = outcome.status == Status::kBusy
                      ? Failure{SUB0_BUSY, "another process holds the database file's lock", ""}
                      : outcome.failure;
        failure.log.insert(0, lineOfStatement(tokenize(rewritten.sql, Dialect::kSqlite),
                                              is_script ? begin : rewritten.sql.size()));
        keep(std::move(last));
        if (is_script || sql.substr(0, 8) != "EXPLAIN ") {  // which has done nothing
          giveUpTransaction();
        }
        return nullptr;
      }
      if (outcome.tree != nullptr) {
        keep(std::move(last));
        last = std::move(outcome.tree);
      }
    } while (is_script && !rest.empty());
    return last == nullptr ? std::make_unique<ResultTree>(0) : std::move(last);
  }

  Results takeEarlier() override { return std::move(earlier_); }

  void cancel() override {
    is_cancelled_ = true;
    if (is_open_) {
      connection_.interrupt();
    }
  }

 private:
  void keep(std::unique_ptr<ResultTree> result) {
    if (result != nullptr) {
      earlier_.push_back(std::move(result));
    }
  }

  // Of a script that failed between its BEGIN and COMMIT; it would hold the file's lock for ever.
  void giveUpTransaction() {
    if (connection_.isInTransaction()) {
      Failure ignored;
      connection_.control(SqliteConnection::Control::kRollback, ignored);
    }
  }

  std::string path_;
  SqliteConnection connection_;
  Results earlier_;
  WriteCount& writes_;
  std::atomic<bool> is_open_{false};
  std::atomic<bool> is_cancelled_{false};
};

}  // namespace

std::unique_ptr<SqlSession> makeSqliteSession(std::string path, std::size_t result_limit_bytes,
                                              WriteCount& writes) {
  return std::make_unique<SqliteSession>(std::move(path), result_limit_bytes, writes);
}

}  // namespace sub0::query
