// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace sub0::powercut {

// What can be found in the test's database, each with a number that says in what state it is; 0: it
// is not there. A thing of several parts has one state for all of them.
enum class Kind {
  kSchema,    // a statement of kSchema: 1
  kNote,      // its version
  kBatch,     // rows that one statement inserts together: 1
  kTransfer,  // one statement whose trigger writes two accounts: encode()
  kSteps,     // the same by three statements of a transaction
};
struct Key {
  Kind kind;
  std::int64_t id;
  auto operator<=>(const Key&) const = default;
};
using Contents = std::map<Key, std::int64_t>;
constexpr std::int64_t kBroken = -1;  // parts of it are there, or other bytes than were written

struct Transfer {
  std::int64_t source, target, amount;
};
std::int64_t encode(const Transfer& transfer);
Transfer decode(std::int64_t state);

constexpr std::int64_t kAccounts = 8;
constexpr std::int64_t kFirstBalance = 1000;
constexpr std::int64_t kBatchLines = 20;

// Each creates one thing, and does no harm where it is there already.
extern const char* const kSchema[];
extern const std::size_t kSchemaStatements;

// The text of a part, from what it is part of; now and then larger than a page.
std::string bodyOf(const Key& key, std::int64_t version);

// What the runs of a test have promised so far, to be compared with what is there when the power is
// back: what ended well is there, and what failed is there as a whole or not at all.
class Ledger {
 public:
  // A run that would bring `key` into that state has ended well, or with its outcome unknown.
  void done(const Key& key, std::int64_t state) { allowed_[key] = {state}; }
  void unknown(const Key& key, std::int64_t state);
  // Faults of `found`, a line each; none: that is how things stand from now on.
  std::string compare(const Contents& found);

 private:
  std::map<Key, std::set<std::int64_t>> allowed_;  // of keys that are not there: 0 alone
};

// Opens a database file by SQLite's own VFS and reads it; `errors`: what SQLite's integrity check
// says, and balances that are not what the transfers make them.
Contents readDatabase(const std::string& file, std::string& errors);

}  // namespace sub0::powercut
