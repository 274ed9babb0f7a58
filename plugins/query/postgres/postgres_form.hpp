// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host_port.hpp"

namespace sub0::query {

class PostgresForm;
using PostgresFormPointer = std::shared_ptr<const PostgresForm>;

// A way to put a statement to the server. The first leaves all types to it. A parameter whose type
// it cannot tell (42P08, 42P18) is text in the next; where that does not fit either, each place of
// the parameter is one of its own: ($1 IS NULL OR id = $1) becomes ($1 IS NULL OR id = $2), and
// both get the same value. What this found is kept by the statement's traits. Immutable but for
// which parameters are arrays, which is asked when a JSON array is given for one. THREAD: any.
class PostgresForm {
 public:
  // The first form of that SQL.
  explicit PostgresForm(std::string sql) : PostgresForm(std::move(sql), {}, {}, nullptr) {}

  const std::string& sql() const { return sql_; }
  // What the server is told; empty: nothing. 0: it tells.
  const std::vector<Oid>& types() const { return types_; }
  // Whether its parameters are others than the statement's.
  bool isRenumbered() const { return !apart_.empty(); }
  std::size_t count() const { return sources_.size(); }
  // Which of the statement's parameters it is, both counted from 0.
  std::size_t sourceOf(std::size_t parameter) const { return sources_[parameter]; }

  // What to try where the server has refused this one with that state, about parameter `number`
  // (from 1; 0: which is not said); null: there is nothing. `failure` is what it said.
  PostgresFormPointer next(const std::string& state, std::size_t number,
                           const Failure& failure) const;
  // What the server said to the first form; null: this is the first.
  const Failure* firstFailure() const { return first_failure_.get(); }

  // The types of the elements by parameter, 0 where it is no array; none: not known.
  std::optional<std::vector<Oid>> elements() const;
  void learnElements(std::vector<Oid> elements) const;
  // They may be others by now. At most once a second, since a client can have it said by a value
  // that does not fit, and asking costs.
  void forgetElements(std::uint64_t now_ns) const;

 private:
  PostgresForm(std::string statement, std::set<std::size_t> apart, std::vector<Oid> types,
               std::shared_ptr<const Failure> first_failure);
  std::set<std::size_t> nextApart() const;
  bool isText(std::size_t parameter) const;

  std::string statement_;  // as the resource has it
  std::string sql_;
  std::set<std::size_t> apart_;       // parameters of the statement that are one for each place
  std::vector<std::size_t> sources_;  // by parameter
  std::vector<Oid> types_;
  std::vector<std::size_t> places_;  // how many, by parameter of the statement
  std::shared_ptr<const Failure> first_failure_;
  mutable std::mutex elements_mutex_;
  mutable std::optional<std::vector<Oid>> elements_;
  mutable std::uint64_t forgettable_at_ns_ = 0;
};

}  // namespace sub0::query
