// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/ledger.hpp"

#include <sqlite3.h>

#include <functional>
#include <vector>

#include "tests/simulation/random.hpp"

namespace sub0::powercut {
namespace {

constexpr std::int64_t kLargestAmount = 100;

class Reader {
 public:
  Reader(const std::string& file, std::string& errors) : errors_(errors) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(file.c_str(), &database_, flags, "unix") != SQLITE_OK) {
      complain("it does not open");
    }
  }
  ~Reader() { sqlite3_close(database_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void each(const char* sql, const std::function<void(sqlite3_stmt*)>& row) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) != SQLITE_OK) {
      complain(sql);
      return;
    }
    int status = SQLITE_OK;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
      row(statement);
    }
    if (status != SQLITE_DONE) {
      complain(sql);
    }
    sqlite3_finalize(statement);
  }

 private:
  void complain(const std::string& what) {
    errors_ += what + ": " + sqlite3_errmsg(database_) + "\n";
  }

  sqlite3* database_ = nullptr;
  std::string& errors_;
};

std::int64_t number(sqlite3_stmt* row, int column) { return sqlite3_column_int64(row, column); }

std::string text(sqlite3_stmt* row, int column) {
  const void* bytes = sqlite3_column_blob(row, column);
  return {static_cast<const char*>(bytes == nullptr ? "" : bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
}

void readSchema(Reader& reader, Contents& found) {
  const std::map<std::string, std::int64_t> ids = {{"notes", 0},     {"lines", 1}, {"accounts", 2},
                                                   {"transfers", 3}, {"steps", 4}, {"moves", 5}};
  reader.each("SELECT name FROM sqlite_master", [&](sqlite3_stmt* row) {
    const auto known = ids.find(text(row, 0));
    if (known != ids.end()) {
      found[{Kind::kSchema, known->second}] = 1;
    }
  });
}

void readNotes(Reader& reader, Contents& found) {
  reader.each("SELECT id, version, body FROM notes", [&](sqlite3_stmt* row) {
    const Key key{Kind::kNote, number(row, 0)};
    const std::int64_t version = number(row, 1);
    found[key] = text(row, 2) == bodyOf(key, version) ? version : kBroken;
  });
}

void readBatches(Reader& reader, Contents& found) {
  std::map<std::int64_t, std::int64_t> lines;
  reader.each("SELECT batch, line, body FROM lines ORDER BY batch, line", [&](sqlite3_stmt* row) {
    const std::int64_t batch = number(row, 0);
    const bool is_next = number(row, 1) == lines[batch]++;
    const bool is_right = text(row, 2) == bodyOf({Kind::kBatch, batch}, 0);
    found[{Kind::kBatch, batch}] = is_next && is_right ? 1 : kBroken;
  });
  for (const auto& [batch, count] : lines) {
    if (count != kBatchLines) {
      found[{Kind::kBatch, batch}] = kBroken;
    }
  }
}

// What the transfers of a table have moved is added up in `balances`.
void readTransfers(Reader& reader, const std::string& table, Kind kind, Contents& found,
                   std::map<std::int64_t, std::int64_t>& balances) {
  const std::string sql = "SELECT id, source, target, amount FROM " + table;
  reader.each(sql.c_str(), [&](sqlite3_stmt* row) {
    const Transfer transfer{number(row, 1), number(row, 2), number(row, 3)};
    found[{kind, number(row, 0)}] = encode(transfer);
    balances[transfer.source] -= transfer.amount;
    balances[transfer.target] += transfer.amount;
  });
}

std::string nameOf(const Key& key) {
  constexpr const char* kNames[] = {"schema ", "note ", "batch ", "transfer ", "transaction "};
  return kNames[static_cast<int>(key.kind)] + std::to_string(key.id);
}

}  // namespace

const char* const kSchema[] = {
    "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, body "
    "TEXT)",
    "CREATE TABLE IF NOT EXISTS lines (batch INTEGER, line INTEGER, body TEXT, PRIMARY KEY (batch, "
    "line))",
    "CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS transfers (id INTEGER PRIMARY KEY, source INTEGER, target INTEGER, "
    "amount INTEGER)",
    "CREATE TABLE IF NOT EXISTS steps (id INTEGER PRIMARY KEY, source INTEGER, target INTEGER, "
    "amount INTEGER)",
    "CREATE TRIGGER IF NOT EXISTS moves AFTER INSERT ON transfers BEGIN "
    "UPDATE accounts SET balance = balance - new.amount WHERE id = new.source; "
    "UPDATE accounts SET balance = balance + new.amount WHERE id = new.target; END",
    "INSERT OR IGNORE INTO accounts VALUES (0, 1000), (1, 1000), (2, 1000), (3, 1000), (4, 1000), "
    "(5, 1000), (6, 1000), (7, 1000)",
};
const std::size_t kSchemaStatements = std::size(kSchema);

std::int64_t encode(const Transfer& transfer) {
  return 1 + transfer.amount + kLargestAmount * (transfer.source * kAccounts + transfer.target);
}

Transfer decode(std::int64_t state) {
  const std::int64_t accounts = (state - 1) / kLargestAmount;
  return {accounts / kAccounts, accounts % kAccounts, (state - 1) % kLargestAmount};
}

std::string bodyOf(const Key& key, std::int64_t version) {
  const auto seed = static_cast<std::uint64_t>(key.id * 1000003 + version) * 8;
  simulation::Random chance(seed + static_cast<std::uint64_t>(key.kind));
  const bool is_large = key.kind == Kind::kNote && chance.oneIn(12);
  const auto size = static_cast<std::size_t>(chance.between(10, is_large ? 12000 : 400));
  std::string body;
  while (body.size() < size) {
    body += std::to_string(chance.next());
  }
  return body;
}

void Ledger::unknown(const Key& key, std::int64_t state) {
  std::set<std::int64_t>& states = allowed_[key];
  if (states.empty()) {
    states.insert(0);
  }
  states.insert(state);
}

std::string Ledger::compare(const Contents& found) {
  std::string errors;
  for (const auto& [key, states] : allowed_) {
    const auto there = found.find(key);
    const std::int64_t state = there == found.end() ? 0 : there->second;
    if (states.count(state) == 0) {
      errors += nameOf(key) + " is " + std::to_string(state) + ", and not";
      for (const std::int64_t one : states) {
        errors += " " + std::to_string(one);
      }
      errors += "\n";
    }
  }
  for (const auto& [key, state] : found) {
    if (allowed_.count(key) == 0) {
      errors += nameOf(key) + " is " + std::to_string(state) + ", and nobody wrote it\n";
    }
  }
  if (errors.empty()) {
    for (auto& [key, states] : allowed_) {
      const auto there = found.find(key);
      states = {there == found.end() ? 0 : there->second};
    }
  }
  return errors;
}

Contents readDatabase(const std::string& file, std::string& errors) {
  Reader reader(file, errors);
  reader.each("PRAGMA integrity_check", [&](sqlite3_stmt* row) {
    if (text(row, 0) != "ok") {
      errors += "integrity: " + text(row, 0) + "\n";
    }
  });
  Contents found;
  readSchema(reader, found);
  const auto has = [&](std::int64_t table) { return found.count({Kind::kSchema, table}) > 0; };
  std::map<std::int64_t, std::int64_t> expected, balances;
  if (has(0)) readNotes(reader, found);
  if (has(1)) readBatches(reader, found);
  if (has(3)) readTransfers(reader, "transfers", Kind::kTransfer, found, expected);
  if (has(4)) readTransfers(reader, "steps", Kind::kSteps, found, expected);
  if (has(2)) {
    reader.each("SELECT id, balance FROM accounts",
                [&](sqlite3_stmt* row) { balances[number(row, 0)] = number(row, 1); });
  }
  if (!balances.empty()) {
    found[{Kind::kSchema, 6}] = balances.size() == kAccounts ? 1 : kBroken;
    for (std::int64_t account = 0; account < kAccounts; ++account) {
      expected[account] += kFirstBalance;
    }
  }
  for (const auto& [account, balance] : expected) {
    if (balances[account] != balance) {
      errors += "account " + std::to_string(account) + " has " + std::to_string(balances[account]) +
                " where its transfers make " + std::to_string(balance) + "\n";
    }
  }
  return found;
}

}  // namespace sub0::powercut
