// SPDX-License-Identifier: Apache-2.0
#include "poco_data/data_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

namespace sub0::query {
namespace {

constexpr std::uint64_t kSoonNs = 20000000;
constexpr std::uint64_t kFarNs = 600000000000;

// A host that remembers how runs ended. THREAD: any.
class Ends {
 public:
  Ends() {
    host_.struct_size = sizeof host_;
    host_.complete_blob = [](const sub0_host* host, sub0_ticket ticket, const sub0_blob* blob) {
      blob->release(blob->owner);
      of(host).add(ticket, SUB0_OK, "");
      return std::int32_t{SUB0_OK};
    };
    host_.fail = [](const sub0_host* host, sub0_ticket ticket, const sub0_error* error) {
      of(host).add(ticket, error->code, std::string(error->client.data, error->client.size));
      return std::int32_t{SUB0_OK};
    };
    host_.log = [](const sub0_host*, std::int32_t, const sub0_text_view*) {};
    host_.extension = [](const sub0_host*, const char*) -> const void* { return nullptr; };
  }
  const sub0_host* raw() const { return &host_; }

  // The code of that run's end; waits for it.
  std::int32_t wait(sub0_ticket ticket) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ends_.count(ticket) > 0; });
    return ends_[ticket].first;
  }
  std::string textOf(sub0_ticket ticket) {
    wait(ticket);
    const std::lock_guard lock(mutex_);
    return ends_[ticket].second;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return ends_.size();
  }
  bool has(sub0_ticket ticket) {
    const std::lock_guard lock(mutex_);
    return ends_.count(ticket) > 0;
  }

 private:
  static Ends& of(const sub0_host* host) {
    return *reinterpret_cast<Ends*>(const_cast<sub0_host*>(host));  // its first member
  }
  void add(sub0_ticket ticket, std::int32_t code, std::string text) {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(ends_.count(ticket), 0U) << "ended twice";
    ends_[ticket] = {code, std::move(text)};
    changed_.notify_all();
  }

  sub0_host host_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<sub0_ticket, std::pair<std::int32_t, std::string>> ends_;
};

// What all sessions of a test do, and what was done. A statement "wait" waits for the gate, or
// until it is interrupted; "lose" loses its connection, "last" does so behind its answer; "fail"
// fails.
struct Script {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_open = false;
  std::vector<std::string> done;
  int waiting = 0;
  int connections = 0;
  int interrupts = 0;

  void note(const std::string& what) {
    const std::lock_guard lock(mutex);
    done.push_back(what);
    changed.notify_all();
  }
  void open() {
    const std::lock_guard lock(mutex);
    is_open = true;
    changed.notify_all();
  }
  void waitForWaiting(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return waiting >= count; });
  }
  bool isWaiting() {
    const std::lock_guard lock(mutex);
    return waiting > 0;
  }
  void waitFor(const std::string& what) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return std::find(done.begin(), done.end(), what) != done.end(); });
  }
  int countOf(const std::string& what) {
    const std::lock_guard lock(mutex);
    return static_cast<int>(std::count(done.begin(), done.end(), what));
  }
};

class FakeSession final : public DataSession {
 public:
  explicit FakeSession(Script& script) : script_(script) {}
  bool connect(Failure&) override {
    is_open_ = true;
    const std::lock_guard lock(script_.mutex);
    ++script_.connections;
    return true;
  }
  bool isOpen() override { return is_open_; }
  void close() override { is_open_ = false; }
  bool ping(Failure&) override { return true; }
  bool prepare(const Statement&, Failure&) override { return true; }
  Outcome execute(const Statement& statement, const DataParameters&, bool) override {
    if (statement.sql == "wait" && !waitAtGate()) {
      return {End::kFailed, nullptr, Failure{SUB0_ACTION_FAILED, "interrupted", ""}};
    }
    if (statement.sql == "lose") {
      return {End::kLost, nullptr, Failure{SUB0_UNAVAILABLE, "lost", ""}};
    }
    script_.note(statement.sql);
    is_open_ = statement.sql != "last";
    if (statement.sql == "fail") {
      return {End::kFailed, nullptr, Failure{SUB0_CONSTRAINT, "no", "no"}};
    }
    return {End::kDone, nullptr, {}};
  }
  Outcome begin(bool) override { return note("BEGIN"); }
  Outcome commit() override { return note("COMMIT"); }
  Outcome rollback() override { return note("ROLLBACK"); }
  Outcome executeOnce(const std::string&, const DataParameters&) override { return {}; }
  Outcome executeScript(const std::string&, Results&) override { return {}; }
  void interrupt(int) override {
    const std::lock_guard lock(script_.mutex);
    ++script_.interrupts;
    is_interrupted_ = true;
    script_.changed.notify_all();
  }

 private:
  Outcome note(const char* word) {
    script_.note(word);
    return {End::kDone, nullptr, {}};
  }
  bool waitAtGate() {
    std::unique_lock lock(script_.mutex);
    ++script_.waiting;
    script_.changed.notify_all();
    script_.changed.wait(lock, [&] { return script_.is_open || is_interrupted_; });
    --script_.waiting;
    const bool is_good = !is_interrupted_;
    is_interrupted_ = false;
    return is_good;
  }
  Script& script_;
  bool is_open_ = false;
  bool is_interrupted_ = false;
};

class FakeSource final : public DataSource {
 public:
  explicit FakeSource(Script& script) : script_(script) {}
  Dialect dialect() const override { return Dialect::kOdbc; }
  std::string translate(const TokenList&, std::vector<std::string>&) const override { return {}; }
  std::unique_ptr<DataSession> makeSession(SessionUse) const override {
    return std::make_unique<FakeSession>(script_);
  }
  std::unique_ptr<SqlSession> openSqlSession(AfterLoss) const override { return nullptr; }

 private:
  Script& script_;
};

class DataPoolTest : public ::testing::Test {
 protected:
  void start(std::size_t connections, std::uint64_t wait_ms = 600000) {
    keeper_.start();
    while (!keeper_.isUp()) std::this_thread::yield();
    pool_ = std::make_unique<DataPool>(port_, source_, keeper_,
                                       DataPool::Options{connections, wait_ms});
    pool_->start();
  }
  ~DataPoolTest() override {
    script_.open();
    pool_.reset();
    keeper_.stop();
  }

  DataRequest request(sub0_ticket ticket, const std::string& sql,
                      std::uint64_t deadline_ns = kFarNs) {
    auto statement = std::make_shared<Statement>();
    statement->sql = sql;
    statement->number = index_.of(sql);
    DataRequest made;
    made.ticket = ticket;
    made.deadline_ns = deadline_ns;
    made.statement = statement;
    return made;
  }

  // The one connection is taken; a slow machine may be too late for that, and tries again.
  void occupy() {
    for (sub0_ticket ticket = 1000; !script_.isWaiting(); ++ticket) {
      pool_->add(request(ticket, "wait"));
      while (!script_.isWaiting() && !ends_.has(ticket)) std::this_thread::yield();
    }
  }

  Ends ends_;
  Script script_;
  HostPort port_{ends_.raw()};
  FakeSource source_{script_};
  DataKeeper keeper_{port_, source_};
  StatementIndex index_;
  std::unique_ptr<DataPool> pool_;
};

// as many at a time as there are connections; what waits goes on in the order of coming
TEST_F(DataPoolTest, AsManyAtATimeAsThereAreConnections) {
  start(2);
  for (sub0_ticket ticket = 1; ticket <= 20; ++ticket) pool_->add(request(ticket, "wait"));
  script_.waitForWaiting(2);
  EXPECT_EQ(ends_.count(), 0U);
  script_.open();
  for (sub0_ticket ticket = 1; ticket <= 20; ++ticket) EXPECT_EQ(ends_.wait(ticket), SUB0_OK);
  EXPECT_LE(script_.connections, 3);  // the keeper's among them
}

// what finds no connection in time, and what comes when a thousand wait, is busy
TEST_F(DataPoolTest, WaitsForSoLongAndForSoMany) {
  start(1, 10);
  occupy();
  pool_->add(request(2, "a"));
  pool_->addToCall(7, request(3, "a"));
  EXPECT_EQ(ends_.wait(2), SUB0_BUSY);
  EXPECT_EQ(ends_.wait(3), SUB0_BUSY);
  pool_->addToCall(7, request(4, "a"));
  EXPECT_EQ(ends_.wait(4), SUB0_ACTION_FAILED);
  pool_->rollbackCall(7);
}

TEST_F(DataPoolTest, AThousandWaitAtMost) {
  start(1);
  pool_->add(request(1, "wait"));
  script_.waitForWaiting(1);
  for (sub0_ticket ticket = 2; ticket <= 1002; ++ticket) pool_->add(request(ticket, "a"));
  EXPECT_EQ(ends_.wait(1002), SUB0_BUSY);
  EXPECT_EQ(ends_.count(), 1U);
}

// S-52: past its deadline a statement is interrupted, and its connection made anew
TEST_F(DataPoolTest, StatementsEndAtTheirDeadline) {
  start(1);
  std::int32_t code = SUB0_BUSY;  // it was late before it had begun
  for (sub0_ticket ticket = 10; code == SUB0_BUSY; ++ticket) {
    pool_->add(request(ticket, "wait", kSoonNs));
    code = ends_.wait(ticket);
  }
  EXPECT_EQ(code, SUB0_TIMEOUT);
  pool_->add(request(2, "a"));
  EXPECT_EQ(ends_.wait(2), SUB0_OK);
  EXPECT_EQ(script_.connections, 3);
  EXPECT_GE(script_.interrupts, 1);
}

// a write whose answer is lost may have been done, and is not sent again
TEST_F(DataPoolTest, LossesLeaveWritesInDoubt) {
  start(1);
  pool_->add(request(1, "lose"));
  EXPECT_EQ(ends_.wait(1), SUB0_UNAVAILABLE);
  EXPECT_NE(ends_.textOf(1).find("not known"), std::string::npos);
  pool_->add(request(2, "a"));
  EXPECT_EQ(ends_.wait(2), SUB0_OK);
}

// S-22: a transaction has one connection from its first statement to its end
TEST_F(DataPoolTest, TransactionsLastOrDoNot) {
  start(1);
  pool_->addToCall(5, request(1, "a"));
  EXPECT_EQ(ends_.wait(1), SUB0_OK);
  pool_->add(request(2, "other"));
  pool_->addToCall(5, request(3, "b"));
  EXPECT_EQ(ends_.wait(3), SUB0_OK);
  EXPECT_EQ(script_.countOf("other"), 0);
  pool_->commitCall(5, 4, kFarNs);
  EXPECT_EQ(ends_.wait(4), SUB0_OK);
  EXPECT_EQ(ends_.wait(2), SUB0_OK);
  EXPECT_EQ(script_.done, (std::vector<std::string>{"BEGIN", "a", "b", "COMMIT", "other"}));
  pool_->commitCall(6, 9, kFarNs);  // has executed nothing
  EXPECT_EQ(ends_.wait(9), SUB0_OK);
}

// S-22: a failure undoes all of it, and what still comes fails
TEST_F(DataPoolTest, AFailureEndsTheTransaction) {
  start(1);
  pool_->addToCall(5, request(1, "a"));
  pool_->addToCall(6, request(11, "c"));
  EXPECT_EQ(ends_.wait(1), SUB0_OK);
  pool_->addToCall(5, request(2, "fail"));
  EXPECT_EQ(ends_.wait(2), SUB0_CONSTRAINT);
  script_.waitFor("ROLLBACK");
  pool_->addToCall(5, request(3, "b"));
  EXPECT_EQ(ends_.wait(3), SUB0_ACTION_FAILED);
  pool_->rollbackCall(5);
  EXPECT_EQ(ends_.wait(11), SUB0_OK);
  pool_->rollbackCall(6);
  EXPECT_EQ(script_.countOf("b"), 0);
}

// S-90: a connection that ends between two statements is no fault of the next: it may be tried
// again
TEST_F(DataPoolTest, AConnectionThatEndsBetweenTwoStatementsIsUnavailable) {
  start(1);
  pool_->addToCall(5, request(1, "last"));
  EXPECT_EQ(ends_.wait(1), SUB0_OK);
  pool_->addToCall(5, request(2, "b"));
  EXPECT_EQ(ends_.wait(2), SUB0_UNAVAILABLE);
  pool_->rollbackCall(5);
  pool_->addToCall(6, request(3, "last"));
  EXPECT_EQ(ends_.wait(3), SUB0_OK);
  pool_->commitCall(6, 4, kFarNs);
  EXPECT_EQ(ends_.wait(4), SUB0_UNAVAILABLE);
  EXPECT_EQ(script_.countOf("b"), 0);
  EXPECT_EQ(script_.countOf("COMMIT"), 0);
}

// S-22: given up by the host while a statement of it is under way
TEST_F(DataPoolTest, RollbackInterruptsWhatIsUnderWay) {
  start(1);
  pool_->addToCall(5, request(1, "wait"));
  script_.waitForWaiting(1);
  pool_->rollbackCall(5);
  EXPECT_EQ(ends_.wait(1), SUB0_TIMEOUT);
  pool_->add(request(2, "a"));
  EXPECT_EQ(ends_.wait(2), SUB0_OK);
  EXPECT_EQ(script_.countOf("COMMIT"), 0);
}

// What is under way or waits at the stop ends
TEST_F(DataPoolTest, StopEndsEverything) {
  start(2);
  pool_->add(request(1, "wait"));
  pool_->addToCall(5, request(2, "wait"));
  script_.waitForWaiting(2);
  pool_->add(request(3, "a"));
  pool_->stop(0);
  EXPECT_NE(ends_.wait(1), SUB0_OK);
  EXPECT_NE(ends_.wait(2), SUB0_OK);
  EXPECT_EQ(ends_.wait(3), SUB0_UNAVAILABLE);
  pool_->add(request(4, "a"));
  EXPECT_EQ(ends_.wait(4), SUB0_UNAVAILABLE);
}

}  // namespace
}  // namespace sub0::query
