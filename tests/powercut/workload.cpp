// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/workload.hpp"

#include <set>

namespace sub0::powercut {

using testing::LoopAction;
using testing::LoopEnd;

namespace {

constexpr std::int64_t kNotes = 60;
constexpr std::size_t kWaiting = 64;

Tree tree(std::int64_t value) { return Tree(Literal(value)); }
Tree tree(const std::string& value) { return Tree(Literal(value)); }

}  // namespace

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
      refused_(life.prepare("INSERT INTO accounts VALUES (1, -1)", 0)),
      rolls_back_(life.prepare("INSERT OR ROLLBACK INTO accounts VALUES (1, -1)", 0)) {
  for (std::size_t i = 0; i < kSchemaStatements; ++i) {
    schema_.push_back(&life.prepare(kSchema[i], 0));
  }
}

bool Workload::createSchema() {
  for (std::size_t i = 0; i < schema_.size(); ++i) {
    const Planned planned{{Kind::kSchema, static_cast<std::int64_t>(i)}, 1, schema_[i], {}, false};
    if (!settle(planned, life_.begin(*planned.action, {}))) {
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
  const Planned planned = plan();
  settle(planned, life_.begin(*planned.action, planned.values));
}

void Workload::burst(std::size_t count) {
  std::vector<Planned> planned;
  std::set<Key> keys;  // of runs at once nobody says which is the last
  planned.push_back(planTransfer());
  while (planned.size() < count) {
    Planned next = plan();
    if (keys.insert(next.key).second || next.must_be_refused) {
      planned.push_back(std::move(next));
    }
  }
  std::vector<sub0_ticket> tickets;
  life_.gate().close();
  tickets.push_back(life_.begin(*planned[0].action, planned[0].values));
  while (!life_.gate().hasArrival(std::chrono::milliseconds(1)) &&
         life_.host().end(tickets[0]).times == 0) {
    life_.host().turn(0);
  }
  for (std::size_t i = 1; i < planned.size(); ++i) {
    tickets.push_back(life_.begin(*planned[i].action, planned[i].values));
  }
  life_.host().turn(0);
  life_.gate().open();
  for (std::size_t i = 0; i < planned.size(); ++i) {
    settle(planned[i], tickets[i]);
  }
}

void Workload::checkpoint() {
  constexpr const char* kModes[] = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};
  life_.checkpoint(kModes[chance_.below(std::size(kModes))]);
}

Workload::Planned Workload::plan() {
  const std::uint64_t what = chance_.below(20);
  if (what < 10) {
    const Key key{Kind::kNote, chance_.between(1, kNotes)};
    const std::int64_t version = ++history_.last_id;
    return {key, version, &put_, {tree(key.id), tree(version), tree(bodyOf(key, version))}, false};
  }
  if (what < 12) {
    const Key key{Kind::kNote, chance_.between(1, kNotes)};
    return {key, 0, &remove_, {tree(key.id)}, false};
  }
  if (what < 14) {
    const Key key{Kind::kBatch, ++history_.last_id};
    return {key, 1, &batch_, {tree(key.id), tree(bodyOf(key, 0)), tree(kBatchLines)}, false};
  }
  return what < 19 ? planTransfer() : planRefused();
}

Workload::Planned Workload::planTransfer() {
  const Key key{Kind::kTransfer, ++history_.last_id};
  const Transfer moved{chance_.between(0, kAccounts - 1), chance_.between(0, kAccounts - 1),
                       chance_.between(1, 99)};
  return {key,
          encode(moved),
          &transfer_,
          {tree(key.id), tree(moved.source), tree(moved.target), tree(moved.amount)},
          false};
}

Workload::Planned Workload::planRefused() {
  return {{Kind::kSchema, 6}, 0, chance_.percent(50) ? &refused_ : &rolls_back_, {}, true};
}

bool Workload::settle(const Planned& planned, sub0_ticket ticket) {
  const LoopEnd end = life_.host().wait(ticket);
  const bool is_done = end.code == SUB0_OK;
  if (planned.must_be_refused) {
    if (is_done || (end.code != SUB0_CONSTRAINT && !hasCause())) {
      history_.errors += "a row that is there was inserted: " + std::to_string(end.code) + "\n";
    }
    return false;
  }
  if (is_done) {
    history_.ledger.done(planned.key, planned.state);
    return true;
  }
  ++failures_;
  if (!failed_means_undone_) {
    history_.ledger.unknown(planned.key, planned.state);
  }
  if (!hasCause()) {
    history_.errors += "a run failed on a disk that works: " + std::to_string(end.code) + " " +
                       end.log.substr(0, 200) + "\n";
  }
  return false;
}

}  // namespace sub0::powercut
