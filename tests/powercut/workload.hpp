// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tests/powercut/ledger.hpp"
#include "tests/powercut/life.hpp"

namespace sub0::powercut {

// What outlives the lives of one database.
struct History {
  Ledger ledger;
  std::int64_t last_id = 0;
  std::string errors;  // what was wrong so far, a line each
};
// Its first lines: the others tell the same.
std::string beginningOf(const std::string& errors);

// Runs of one life, chosen by chance: alone, or many that wait for the same commit; single
// statements, calls with a transaction of three, some that must be refused, some that are rolled
// back. Keeps the history's ledger, and tells as errors runs that fail while the disk has neither
// lost its power nor failed. THREAD: the test's.
class Workload {
 public:
  // Prepares its statements. REQUIRES: the life has not started.
  Workload(Life& life, History& history, Random& chance);

  // False where a statement failed.
  bool createSchema();
  // One of the following, by chance.
  void step();
  void single();
  void burst(std::size_t count);
  void checkpoint();

  // Calls with a transaction among many at once, else only alone: their statements come as fast as
  // the threads run, and so which of them share a commit is another matter each time.
  void mixCallsIn() { mixes_calls_in_ = true; }
  // From now on a run that fails has surely done nothing, nor will it have.
  void expectNothingOfFailures() { failed_means_undone_ = true; }
  const std::vector<testing::LoopEnd>& failures() const { return failures_; }

 private:
  enum class Fate { kDone, kRefused, kRolledBack };
  struct Statement {
    testing::LoopAction* action;
    std::vector<Tree> values;
  };
  struct Planned {
    Key key;
    std::int64_t state;  // 0: it removes it
    std::vector<Statement> statements;
    bool is_call = false;  // they share a transaction
    Fate fate = Fate::kDone;
  };
  struct Running {
    Planned planned;
    std::uint64_t call = 0;
    std::size_t next = 0;  // of its statements
    sub0_ticket ticket = 0;
    bool is_committing = false;
    bool is_over = false;
    bool is_done = false;
  };
  Planned plan(bool may_be_call);
  Planned planTransfer();
  Planned planCall();
  Planned planRefused();
  Running begin(Planned planned);
  void beginNext(Running& running);
  // Until all are over.
  void finish(std::vector<Running>& all);
  // Goes on where the run under way has ended; whether it is over.
  bool advance(Running& running);
  void takeFailure(Running& running, const testing::LoopEnd& end);
  bool hasCause() { return !life_.disk().hasPower() || life_.disk().hasFaulted(); }

  Life& life_;
  History& history_;
  Random& chance_;
  std::vector<testing::LoopAction*> schema_;
  testing::LoopAction& put_;
  testing::LoopAction& remove_;
  testing::LoopAction& batch_;
  testing::LoopAction& transfer_;
  testing::LoopAction& take_;
  testing::LoopAction& give_;
  testing::LoopAction& note_step_;
  testing::LoopAction& refused_;
  testing::LoopAction& rolls_back_;
  bool failed_means_undone_ = false;
  bool mixes_calls_in_ = false;
  std::vector<testing::LoopEnd> failures_;
};

}  // namespace sub0::powercut
