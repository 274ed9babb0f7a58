// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <ostream>

#include "tests/powercut/workload.hpp"

namespace sub0::powercut {
namespace {

constexpr std::size_t kWaiting = 24;
constexpr int kLogPages = 20;  // so that commits move the log into the database file on the way

struct FaultCase {
  const char* name;
  Disk::Operation operation;
  int code;
  bool lasts;
};

void PrintTo(const FaultCase& fault, std::ostream* out) { *out << fault.name; }

class DiskFault : public ::testing::TestWithParam<FaultCase> {
 protected:
  DiskFault() {
    for (std::size_t i = 0; i < kSchemaStatements; ++i) {
      history_.ledger.done({Kind::kSchema, static_cast<std::int64_t>(i)}, 1);
    }
  }

  // The same runs each time, with the fault at the n-th operation; false where that never came.
  bool meetsFault(std::uint64_t nth) {
    history_.errors.clear();
    Random chance(1);
    Life life(folder_, emptyDatabase(), Disk::Kind{}, kLogPages);
    Workload workload(life, history_, chance);
    workload.expectNothingOfFailures();
    EXPECT_TRUE(life.start());
    life.disk().inject({GetParam().operation, nth, GetParam().code, GetParam().lasts});
    work(workload);
    const bool was_met = life.disk().hasFaulted();
    failures_ += workload.failures().size();
    for (const testing::LoopEnd& end : workload.failures()) {
      EXPECT_TRUE(end.code == SUB0_ACTION_FAILED || end.code == SUB0_UNAVAILABLE) << end.code;
      EXPECT_NE(end.client, "") << end.log;
    }
    life.disk().mend();
    work(workload);  // of these none may fail
    life.end(history_.errors);
    judge(folder_);
    aside_.fill(life.disk().synced());
    judge(aside_);
    return was_met;
  }

  static void work(Workload& workload) {
    for (int i = 0; i < 5; ++i) {
      workload.single();
    }
    workload.burst(kWaiting);
    workload.checkpoint();
    workload.single();
  }

  void judge(const Folder& folder) {
    const Contents found = readDatabase(folder.file(kDatabaseName), history_.errors);
    history_.errors += history_.ledger.compare(found);
  }

  const Folder folder_, aside_;
  History history_;
  std::size_t failures_ = 0;
};

// a fault at every write in turn: runs end once and by an error, none of them by half; what
// had ended well stays, also without power; with space again runs succeed
TEST_P(DiskFault, AtEachOperationInTurnIsToldAndOvercome) {
  const History before = history_;
  std::uint64_t nth = 0;
  do {
    history_ = before;
    ++nth;
  } while (meetsFault(nth) && history_.errors.empty());
  EXPECT_TRUE(history_.errors.empty())
      << beginningOf(history_.errors) << "with the fault at operation " << nth;
  EXPECT_GT(nth, 5U) << "too few operations";
  EXPECT_GT(failures_, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    , DiskFault,
    ::testing::Values(FaultCase{"Full", Disk::Operation::kWrite, SQLITE_FULL, true},
                      FaultCase{"FullForAMoment", Disk::Operation::kWrite, SQLITE_FULL, false},
                      FaultCase{"WriteFails", Disk::Operation::kWrite, SQLITE_IOERR_WRITE, false},
                      FaultCase{"WritesFail", Disk::Operation::kWrite, SQLITE_IOERR_WRITE, true},
                      FaultCase{"SyncFails", Disk::Operation::kSync, SQLITE_IOERR_FSYNC, false},
                      FaultCase{"SyncsFail", Disk::Operation::kSync, SQLITE_IOERR_FSYNC, true}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace sub0::powercut
