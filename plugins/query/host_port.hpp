// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/loop.h>
#include <sub0/plugin.h>
#include <sub0/pool.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "result_tree.hpp"

namespace sub0::query {

// Why a statement did not do its work: a code of plugin.h, a text for the operator that may name
// SQL and hosts, and one for the caller that never does (empty: the code's own wording).
struct Failure {
  std::int32_t code = SUB0_OK;
  std::string log;
  std::string client;
};

// What a line for the log may hold of the database's own words: nothing that may quote a value of a
// call, or all of them, to who wrote both the statement and its values.
enum class Shown : std::uint8_t { kNoValues, kAll };

// The host as this plugin uses it: ends of runs, the log, the loops. Ends are safe to repeat: a run
// that the host has given up meanwhile is ignored. Any thread, but for the functions of the loop
// table that say [loop].
class HostPort {
 public:
  explicit HostPort(const sub0_host* host);

  // Ends a run with its rows, which the host takes over.
  void complete(sub0_ticket ticket, std::unique_ptr<ResultTree> tree) const;
  void fail(sub0_ticket ticket, const Failure& failure) const;
  void log(std::int32_t level, std::string_view text) const;

  const sub0_host* raw() const { return host_; }
  const sub0_loop* loop() const { return loop_; }  // null: a host without loops (`check`)
  const sub0_pool* pool() const { return pool_; }
  std::uint64_t nowNs() const { return loop_ == nullptr ? 0 : loop_->now_ns(host_); }
  std::int32_t currentLoop() const { return loop_ == nullptr ? -1 : loop_->current(host_); }

 private:
  const sub0_host* host_;
  const sub0_loop* loop_;
  const sub0_pool* pool_;
};

}  // namespace sub0::query
