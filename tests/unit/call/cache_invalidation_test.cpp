// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/call_rig.hpp"

// spec S-93: `invalidate_cache_keys`, and the cache beside transactions.
namespace sub0::call::test::cache_invalidation_test {
namespace {

std::string step(int id, const std::string& name, const std::string& cacheable) {
  return R"({"id": )" + std::to_string(id) + R"(, "mode": "STEP", )" +
         (cacheable.empty() ? "" : R"("cacheable": )" + cacheable + ", ") +
         R"("step": {"name": ")" + name + R"(", "input": "$PAYLOAD"}})";
}

std::string resource(const std::string& id, const std::string& actions,
                     const std::string& more = "") {
  return R"({"id": ")" + id + R"(", "resource": "route-)" + id + R"(", )" + more +
         R"("actionables": [)" + actions + "]}";
}

std::string drop(const std::string& keys) { return R"({"invalidate_cache_keys": )" + keys + "}"; }
std::string keep(const std::string& key, const std::string& more = "") {
  return R"({"cache_key": ")" + key + R"(", "duration": 10)" + more + "}";
}

const std::string kTransaction = R"("transaction": true, )";

class Invalidation : public testing::Test {
 protected:
  void make(const std::string& resources) {
    rig = std::make_unique<CallRig>("[" + resources + "]");
    rig->script.runs["failing"] = [this](const sub0_run& run) {
      rig->script.fail(run.ticket, Code::kActionFailed);
    };
    rig->script.runs["look"] = [this](const sub0_run& run) {
      seen += keys();
      rig->script.complete(run.ticket, "1");
    };
    for (const char* key : {"k1", "k2", "k3"}) put(key);
  }
  void put(const std::string& key) {
    rig->cache.put("a" + key, store::CachedValue::make(json::integer(1)), 1'000'000'000'000,
                   rig->cache.mark("a" + key));
  }
  void call(const std::string& payload = "{}") { rig->dispatch(rig->request("r", payload)); }
  /// Of the three keys those that are there.
  std::string keys() const {
    std::string there;
    for (const char* key : {"k1", "k2", "k3"}) {
      if (rig->cache.look(std::string("a") + key, 0)) there += std::string(key) + " ";
    }
    return there;
  }

  std::unique_ptr<CallRig> rig;
  std::string seen;
};

TEST_F(Invalidation, DropsTheKeysOfTheAction) {
  make(resource("r", step(1, "a", drop(R"(["k$PAYLOAD.n", "k3", ""])"))));
  call(R"({"n": 1})");
  EXPECT_EQ(keys(), "k2 ");
}

// spec S-93: an accessor of an array names several
TEST_F(Invalidation, AccessorOfAnArrayNamesSeveralKeys) {
  for (const char* written : {R"("$PAYLOAD.keys")", R"(["$PAYLOAD.keys"])"}) {
    make(resource("r", step(1, "a", drop(written))));
    call(R"({"keys": ["k1", null, 5, "k3", ["k2"]]})");
    EXPECT_EQ(keys(), "k2 ") << written;
  }
}

// spec S-93: without a transaction what an action did stays (S-22), so the next one finds no old
// result
TEST_F(Invalidation, ComesRightBehindTheActionWithoutATransaction) {
  make(resource("r", step(1, "a", drop(R"(["k1"])")) + "," + step(2, "look", drop(R"(["k2"])")),
                R"("cacheable": {"invalidate_cache_keys": "k3"}, )"));
  call();
  EXPECT_EQ(seen, "k2 k3 ");
  EXPECT_EQ(keys(), "");
}

// spec S-93, S-22: what failed may have been done all the same
TEST_F(Invalidation, ComesWhereTheCallFailsWithoutATransaction) {
  make(resource("r", step(1, "failing", drop(R"(["k1"])")) + "," + step(2, "a", drop(R"(["k2"])")),
                R"("cacheable": {"invalidate_cache_keys": "k3"}, )"));
  call();
  EXPECT_EQ(keys(), "k2 ") << "action 2 never began";
}

// spec S-93: who is refused at the gates changes nothing
TEST_F(Invalidation, DoesNotComeWhereTheGatesRefuse) {
  make(resource("r",
                R"({"id": 1, "mode": "STEP", "step": {"name": "a"}, "payload_validation":
                   [{"field": {"x": {"type": "NUMBER"}}}], "cacheable":
                   {"invalidate_cache_keys": "k1"}})",
                R"("cacheable": {"invalidate_cache_keys": "k3"}, )"));
  call();
  EXPECT_EQ(keys(), "k1 k2 k3 ");
}

// spec S-93: after the commit
TEST_F(Invalidation, ComesBehindTheCommit) {
  make(resource("r", step(1, "a", drop(R"(["k1"])")) + "," + step(2, "look", ""),
                kTransaction + R"("cacheable": {"invalidate_cache_keys": "k3"}, )"));
  sub0_ticket commit = 0;
  rig->script.on_commit = [&](const sub0_run& run) {
    seen += "commit " + keys();
    commit = run.ticket;
  };
  call();
  EXPECT_EQ(seen, "k1 k2 k3 commit k1 k2 k3 ");
  EXPECT_TRUE(rig->transport.log.empty());
  rig->script.complete(commit, "null");
  rig->turn();
  EXPECT_EQ(keys(), "k2 ");
  EXPECT_EQ(rig->transport.log, Lines{"200 1"});
}

TEST_F(Invalidation, DoesNotComeWhereAllIsRolledBack) {
  make(resource("r", step(1, "a", drop(R"(["k1"])")) + "," + step(2, "failing", ""),
                kTransaction + R"("cacheable": {"invalidate_cache_keys": "k3"}, )"));
  call();
  EXPECT_EQ(keys(), "k1 k2 k3 ");
}

// spec S-93: a commit of which nobody knows how it ended
TEST_F(Invalidation, ComesWhereTheCommitIsInDoubt) {
  make(resource("r", step(1, "a", drop(R"(["k1"])")), kTransaction));
  rig->script.on_commit = [&](const sub0_run& run) {
    rig->script.fail(run.ticket, Code::kUnavailable);
  };
  call();
  EXPECT_EQ(rig->transport.log, Lines{"503 unavailable -"});
  EXPECT_EQ(keys(), "k2 k3 ");
}

// spec S-90: what the first attempt wanted is forgotten with it
TEST_F(Invalidation, RepeatedTransactionDropsWhatItsLastAttemptNames) {
  make(resource("r", step(1, "a", keep("k1", R"(, "read_from_cache": false)")),
                kTransaction + R"("retries": 1, )"));
  int commits = 0;
  rig->script.on_commit = [&](const sub0_run& run) {
    if (++commits == 1) {
      rig->script.fail(run.ticket, Code::kBusy);
    } else {
      rig->script.complete(run.ticket, "null");
    }
  };
  rig->cache.erase("ak1");
  call(R"({"n": 1})");
  EXPECT_EQ(keys(), "k2 k3 ");
  rig->pass(60);
  EXPECT_EQ(keys(), "k1 k2 k3 ");
  EXPECT_EQ(commits, 2);
}

// spec S-90, S-93: an attempt that failed leaves no key for the next one's actions
TEST_F(Invalidation, RepeatedTransactionKeepsNothingUnderAnOldKey) {
  make(resource("r",
                step(1, "b", keep("$PAYLOAD.none")) + "," +
                    step(2, "a", keep("k1", R"(, "read_from_cache": false)")),
                kTransaction + R"("retries": 1, )"));
  int runs = 0;
  rig->script.runs["a"] = [&](const sub0_run& run) {
    rig->script.fail(run.ticket, ++runs == 1 ? Code::kBusy : Code::kActionFailed);
  };
  rig->cache.erase("ak1");
  call();
  rig->pass(60);
  EXPECT_EQ(rig->transport.log, Lines{"500 action_failed -"});
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(keys(), "k2 k3 ");
  rig->script.runs["a"] = [&](const sub0_run& run) { rig->script.complete(run.ticket, "2"); };
  rig->script.on_commit = [&, commits = 0](const sub0_run& run) mutable {
    if (++commits == 1) {
      rig->script.fail(run.ticket, Code::kBusy);
    } else {
      rig->script.complete(run.ticket, "null");
    }
  };
  call();
  rig->pass(60);
  EXPECT_EQ(json::toString(rig->cache.look("ak1", 0)->value()), "2");
}

// spec S-93: nothing that is not committed is found by others
TEST_F(Invalidation, ResultsOfATransactionAreKeptBehindItsCommit) {
  make(resource("r", step(1, "a", keep("k1")) + "," + step(2, "failing", ""), kTransaction) + "," +
       resource("s", step(1, "a", keep("k1")), kTransaction));
  rig->cache.erase("ak1");
  call();
  EXPECT_EQ(keys(), "k2 k3 ");
  rig->dispatch(rig->request("s"));
  EXPECT_EQ(keys(), "k1 k2 k3 ");
}

// spec S-93: a transaction reads what is there, and waits for nobody: it may hold what that one
// waits for
TEST_F(Invalidation, TransactionDoesNotWaitForAnothersRun) {
  make(resource("r", step(1, "held", keep("k1"))) + "," +
       resource("s", step(1, "a", keep("k1")), kTransaction));
  sub0_ticket held = 0;
  rig->script.runs["held"] = [&](const sub0_run& run) { held = run.ticket; };
  rig->cache.erase("ak1");
  call();
  rig->dispatch(rig->request("s", R"({"n": 2})"));
  rig->dispatch(rig->request("s", R"({"n": 3})"));
  EXPECT_EQ(rig->transport.log, (Lines{R"(200 {"n":2})", R"(200 {"n":2})"}));
  rig->script.complete(held, "1");
  rig->turn();
  EXPECT_EQ(rig->transport.log.back(), "200 1");
  rig->dispatch(rig->request("s", R"({"n": 4})"));
  EXPECT_EQ(rig->transport.log.back(), R"(200 {"n":2})") << "what was begun first is older";
}

// spec S-93: what is dropped while it is being worked out is not kept
TEST_F(Invalidation, DropsWhatIsBeingWorkedOut) {
  make(resource("r", step(1, "held", keep("k1"))) + "," +
       resource("s", step(1, "a", drop("\"k1\""))));
  sub0_ticket held = 0;
  rig->script.runs["held"] = [&](const sub0_run& run) { held = run.ticket; };
  rig->cache.erase("ak1");
  call();
  rig->dispatch(rig->request("s"));
  rig->script.complete(held, "1");
  rig->turn();
  EXPECT_EQ(keys(), "k2 k3 ");
}

// spec S-93: what is missing is not left out of a longer name, here as in keys
TEST_F(Invalidation, NameInWhichSomethingIsMissingIsNone) {
  make(resource("r", step(1, "a", drop(R"(["k1$PAYLOAD.none", "$PAYLOAD.null:k2", "k3"])"))) + "," +
       resource("s", step(1, "a", keep("of-$CONNECTION.uid"))));
  call(R"({"null": null})");
  EXPECT_EQ(keys(), "k1 k2 ");
  rig->dispatch(rig->request("s", R"({"n": "ann"})"));
  rig->dispatch(rig->request("s", R"({"n": "bob"})"));
  EXPECT_EQ(rig->transport.log.back(), R"(200 {"n":"bob"})");
}

// spec S-93: no value can stand for the text between two of them, in keys as in what drops them
TEST_F(Invalidation, InsertedTextIsNoSeparator) {
  make(resource("r", step(1, "a", drop(R"(["k:$PAYLOAD.a:$PAYLOAD.b"])"))) + "," +
       resource("s", step(1, "a", keep("k:$PAYLOAD.a:$PAYLOAD.b"))));
  const auto keep_all = [&] {
    rig->dispatch(rig->request("s", R"({"a": "x:y", "b": "z"})"));
    rig->dispatch(rig->request("s", R"({"a": "x", "b": "y:z"})"));
    return rig->transport.log.back();
  };
  EXPECT_EQ(keep_all(), R"(200 {"a":"x","b":"y:z"})");
  EXPECT_NE(rig->cache.look("ak:x%3Ay:z", 0), nullptr);
  call(R"({"a": "x:y", "b": "z"})");
  EXPECT_EQ(rig->cache.look("ak:x%3Ay:z", 0), nullptr);
  EXPECT_NE(rig->cache.look("ak:x:y%3Az", 0), nullptr);
}

// spec S-93, Q-51: a client does not choose how much is dropped; equal names are one
TEST_F(Invalidation, NamesOfArraysAreBounded) {
  make(resource("r", step(1, "a", drop(R"("$PAYLOAD.keys")"))) + "," +
       resource("s", step(1, "look", ""),
                R"("cacheable": {"invalidate_cache_keys": "$PAYLOAD.keys"}, )"));
  const std::string many = R"({"keys": ["k1", "1", "2", "3", "4"]})";
  call(many);
  rig->dispatch(rig->request("s", many));
  EXPECT_EQ(rig->transport.log, Lines(2, rig->transport.log[0]));
  EXPECT_NE(rig->transport.log[0].find("limit_exceeded"), std::string::npos);
  EXPECT_NE(rig->transport.messages.back().find("SUB0_BULK_LIMIT"), std::string::npos);
  EXPECT_EQ(keys(), "k1 k2 k3 ");
  EXPECT_EQ(seen, "") << "refused before anything is done";
  rig->dispatch(rig->request("s", R"({"keys": ["k1", "k2", "k1", "k1", "k2", "k1"]})"));
  EXPECT_EQ(keys(), "k3 ");
}

// spec S-93, S-91: what is written behind the reply is written behind the drop
TEST_F(Invalidation, ComesAgainBehindTheBackground) {
  make(resource(
      "r",
      R"({"id": 1, "mode": "STEP", "step": {"name": "late"}, "run_in_background": true},)" +
          step(2, "a", ""),
      R"("cacheable": {"invalidate_cache_keys": "k1"}, )"));
  sub0_ticket late = 0;
  rig->script.runs["late"] = [&](const sub0_run& run) { late = run.ticket; };
  call();
  EXPECT_EQ(keys(), "k2 k3 ");
  put("k1");
  rig->script.complete(late, "1");
  rig->turn();
  EXPECT_EQ(keys(), "k2 k3 ");
}

// spec S-93, S-20: what was given up may write until it has ended
TEST_F(Invalidation, ComesAgainWhenWhatWasGivenUpHasEnded) {
  make(resource("r", step(1, "late", drop("\"k1\"")) + "," + step(2, "failing", ""),
                R"("parallel": true, )"));
  sub0_ticket late = 0;
  rig->script.runs["late"] = [&](const sub0_run& run) { late = run.ticket; };
  call();
  EXPECT_EQ(keys(), "k2 k3 ");
  put("k1");
  rig->script.complete(late, "1");
  rig->turn();
  EXPECT_EQ(keys(), "k2 k3 ");
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

}  // namespace
}  // namespace sub0::call::test::cache_invalidation_test
