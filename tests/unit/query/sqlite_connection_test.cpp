// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_connection.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace sub0::query {
namespace {

// SQLite asks whether a statement's time is up after so and so many steps of a kept statement, all
// its executions together: the words of our own must not be asked for somebody else's deadline.
TEST(SqliteConnection, TheDeadlineOfAStatementEndsWithIt) {
  char folder[] = "/tmp/sub0-sqlite-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  {
    SqliteConnection connection(SqliteConnection::Use::kWrite, std::size_t{1} << 20U);
    std::string error;
    ASSERT_TRUE(connection.open(std::string(folder) + "/a.db", error)) << error;
    StatementIndex index;
    Statement statement;
    statement.sql = "SELECT 1";
    statement.number = index.of(statement.sql);
    Failure failure;
    auto* prepared = connection.prepare(statement, failure);
    ASSERT_NE(prepared, nullptr) << failure.log;
    const auto outcome = connection.execute(*prepared, {}, std::chrono::nanoseconds(1));
    ASSERT_EQ(outcome.status, SqliteConnection::Status::kDone);
    using Control = SqliteConnection::Control;
    for (int i = 0; i < 10'000; ++i) {
      for (const Control word :
           {Control::kBeginImmediate, Control::kSavepoint, Control::kRelease, Control::kCommit}) {
        ASSERT_EQ(connection.control(word, failure), SqliteConnection::Status::kDone)
            << i << " " << failure.log;
      }
    }
  }
  std::filesystem::remove_all(folder);
}

// Readers and the writer rely on it: where SQLite answers with another journal the start says so.
TEST(SqliteConnection, AFileWithoutAWriteAheadLogIsRefused) {
  SqliteConnection connection(SqliteConnection::Use::kWrite, std::size_t{1} << 20U);
  std::string error;
  EXPECT_FALSE(connection.open(":memory:", error));
  EXPECT_NE(error.find("journal_mode memory"), std::string::npos) << error;
}

}  // namespace
}  // namespace sub0::query
