// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/workload.hpp"

#include <set>

namespace sub0::powercut {

using testing::LoopAction;
using testing::LoopEnd;

namespace {

constexpr std::int64_t kNotes = 60;
constexpr std::size_t kWaiting = 64;
constexpr std::uint64_t kFirstCall = 1000000;  // apart from those of single runs

Tree tree(std::int64_t value) { return Tree(Literal(value)); }
Tree tree(const std::string& value) { return Tree(Literal(value)); }

}  // namespace

std::string beginningOf(const std::string& errors) {
  std::size_t end = 0;
  for (int lines = 0; lines < 8 && end < errors.size(); ++lines) {
    end = errors.find('\n', end) + 1;
  }
  return errors.substr(0, end) + (end < errors.size() ? "...\n" : "");
}

Workload::Workload(Life& life, History& history, Random& chance)
    : life_(life),
      history_(history),
      chance_(chance),
      put_(
          life.prepare("INSERT INTO notes (id, version, body) VALUES ($1, $2, $3) ON CONFLICT (id) "
                       "DO UPDATE SET version = excluded.version, body = excluded.body",
                       3)),
      remove_(life.prepare("DELETE FROM notes WHERE id = $1", 1)),
      batch_(life.prepare("INSERT INTO lines WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + "
                          "1 FROM n WHERE i + 1 < $3) SELECT $1, i, $2 FROM n",
                          3)),
      transfer_(life.prepare("INSERT INTO transfers VALUES ($1, $2, $3, $4)", 4)),
      take_(life.prepare("UPDATE accounts SET balance = balance - $2 WHERE id = $1", 2)),
      give_(life.prepare("UPDATE accounts SET balance = balance + $2 WHERE id = $1", 2)),
      note_step_(life.prepare("INSERT INTO steps VALUES ($1, $2, $3, $4)", 4)),
      refused_(life.prepare("INSERT INTO accounts VALUES (1, -1)", 0)),
      rolls_back_(life.prepare("INSERT OR ROLLBACK INTO accounts VALUES (1, -1)", 0)) {
  for (std::size_t i = 0; i < kSchemaStatements; ++i) {
    schema_.push_back(&life.prepare(kSchema[i], 0));
  }
}

bool Workload::createSchema() {
  for (std::size_t i = 0; i < schema_.size(); ++i) {
    std::vector<Running> one;
    one.push_back(begin({{Kind::kSchema, static_cast<std::int64_t>(i)}, 1, {{schema_[i], {}}}}));
    finish(one);
    if (!one[0].is_done) {
      return false;
    }
  }
  return true;
}

void Workload::step() {
  const std::uint64_t what = chance_.below(10);
  if (what < 6) {
    single();
  } else if (what < 9) {
    burst(kWaiting);
  } else {
    checkpoint();
  }
}

void Workload::single() {
  std::vector<Running> one;
  one.push_back(begin(plan(true)));
  finish(one);
}

void Workload::burst(std::size_t count) {
  std::vector<Planned> planned;
  std::set<Key> keys;  // of runs at once nobody says which is the last
  while (planned.size() + 1 < count) {
    Planned next = plan(mixes_calls_in_);
    if (keys.insert(next.key).second || next.fate == Fate::kRefused) {
      planned.push_back(std::move(next));
    }
  }
  std::vector<Running> running;
  life_.gate().close();
  running.push_back(begin(planTransfer()));
  while (!life_.gate().hasArrival(std::chrono::milliseconds(1)) &&
         life_.host().end(running[0].ticket).times == 0) {
    life_.host().turn(0);
  }
  for (Planned& one : planned) {
    running.push_back(begin(std::move(one)));
  }
  life_.host().turn(0);
  life_.gate().open();
  finish(running);
}

void Workload::checkpoint() {
  constexpr const char* kModes[] = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};
  life_.checkpoint(kModes[chance_.below(std::size(kModes))]);
}

Workload::Planned Workload::plan(bool may_be_call) {
  const std::uint64_t what = chance_.below(24);
  if (what < 10) {
    const Key key{Kind::kNote, chance_.between(1, kNotes)};
    const std::int64_t version = ++history_.last_id;
    return {key, version, {{&put_, {tree(key.id), tree(version), tree(bodyOf(key, version))}}}};
  }
  if (what < 12) {
    const Key key{Kind::kNote, chance_.between(1, kNotes)};
    return {key, 0, {{&remove_, {tree(key.id)}}}};
  }
  if (what < 14) {
    const Key key{Kind::kBatch, ++history_.last_id};
    return {key, 1, {{&batch_, {tree(key.id), tree(bodyOf(key, 0)), tree(kBatchLines)}}}};
  }
  if (what < 18) {
    return planTransfer();
  }
  if (what < 23) {
    return may_be_call ? planCall() : planTransfer();
  }
  return planRefused();
}

Workload::Planned Workload::planTransfer() {
  const Key key{Kind::kTransfer, ++history_.last_id};
  const Transfer moved{chance_.between(0, kAccounts - 1), chance_.between(0, kAccounts - 1),
                       chance_.between(1, 99)};
  return {
      key,
      encode(moved),
      {{&transfer_, {tree(key.id), tree(moved.source), tree(moved.target), tree(moved.amount)}}}};
}

Workload::Planned Workload::planCall() {
  Planned planned = planTransfer();
  planned.key.kind = Kind::kSteps;
  const std::vector<Tree> values = std::move(planned.statements[0].values);
  planned.statements = {
      {&take_, {values[1], values[3]}}, {&give_, {values[2], values[3]}}, {&note_step_, values}};
  planned.is_call = true;
  planned.fate = chance_.oneIn(5) ? Fate::kRolledBack : Fate::kDone;
  return planned;
}

Workload::Planned Workload::planRefused() {
  LoopAction& action = chance_.percent(50) ? refused_ : rolls_back_;
  return {{Kind::kSchema, 6}, 0, {{&action, {}}}, false, Fate::kRefused};
}

Workload::Running Workload::begin(Planned planned) {
  Running running;
  running.planned = std::move(planned);
  running.call =
      running.planned.is_call ? kFirstCall + static_cast<std::uint64_t>(running.planned.key.id) : 0;
  beginNext(running);
  return running;
}

void Workload::beginNext(Running& running) {
  const Statement& statement = running.planned.statements[running.next++];
  running.ticket = running.planned.is_call
                       ? life_.beginInCall(running.call, *statement.action, statement.values)
                       : life_.begin(*statement.action, statement.values);
}

void Workload::finish(std::vector<Running>& all) {
  const bool are_over = life_.host().turnUntil([&] {
    bool is_over = true;
    for (Running& running : all) {
      is_over = advance(running) && is_over;
    }
    return is_over;
  });
  if (!are_over) {
    history_.errors += "a run did not end\n";
  }
}

bool Workload::advance(Running& running) {
  while (!running.is_over) {
    const LoopEnd end = life_.host().end(running.ticket);
    if (end.times == 0) {
      return false;
    }
    const Planned& planned = running.planned;
    const bool is_last = running.next == planned.statements.size();
    if (end.code != SUB0_OK) {
      takeFailure(running, end);
    } else if (!is_last) {
      beginNext(running);
    } else if (planned.fate == Fate::kRolledBack) {
      life_.host().rollback(running.call);
      running.is_over = true;
    } else if (planned.is_call && !running.is_committing) {
      running.is_committing = true;
      running.ticket = life_.beginCommit(running.call);
    } else {
      running.is_over = running.is_done = true;
      if (planned.fate == Fate::kRefused) {
        history_.errors += "a row that is there was inserted once more\n";
      } else {
        history_.ledger.done(planned.key, planned.state);
      }
    }
  }
  return true;
}

void Workload::takeFailure(Running& running, const LoopEnd& end) {
  const Planned& planned = running.planned;
  running.is_over = true;
  if (planned.is_call) {
    life_.host().rollback(running.call);
  }
  if (planned.fate == Fate::kRefused && end.code == SUB0_CONSTRAINT) {
    return;
  }
  // An OR ROLLBACK beside it took it along: nothing of it may ever be found.
  if (running.is_committing && end.code == SUB0_BUSY) {
    return;
  }
  failures_.push_back(end);
  const bool may_be_done = planned.fate == Fate::kDone &&
                           (!planned.is_call || running.is_committing) && !failed_means_undone_;
  if (may_be_done) {
    history_.ledger.unknown(planned.key, planned.state);
  }
  if (!hasCause()) {
    history_.errors += "a run failed on a disk that works: " + std::to_string(end.code) + " " +
                       end.log.substr(0, 200) + "\n";
  }
}

}  // namespace sub0::powercut
