// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "engine.hpp"
#include "postgres/postgres_form.hpp"

namespace sub0::query {

// What is known of a statement that decides on which connection it may run. Its words tell some of
// it at load: what leaves something behind in the session (set_config, advisory locks, temporary
// tables, DO) needs a connection of its own. The names in front of its brackets are looked up in
// the database once: a function outside pg_catalog may do anything, so its statement needs one,
// too, and so does every statement until the answer is there. The rest is learned from what the
// server says to it. One per text of a statement, shared by all loops. THREAD: any.
class PostgresTraits {
 public:
  explicit PostgresTraits(const Statement& statement);

  // Whether it may run on a connection that all calls of a loop use.
  bool mayShare(std::uint64_t now_ns) const {
    return verdict_ == Verdict::kShared && !is_large_ && now_ns >= own_until_ns_;
  }
  // Whether it is known to change nothing; else its outcome is unknown where its answer is lost.
  bool onlyReads() const { return reads_only_ && !writes_ && verdict_ == Verdict::kShared; }
  // Whether it is tried where nothing can be written.
  bool startsAsRead() const { return reads_only_ && !writes_; }
  bool isUnknown() const { return verdict_ == Verdict::kUnknown; }
  // The names to be looked up, as the text of an array.
  const std::string& calledNames() const { return called_names_; }

  void learnForeignFunctions(bool has_some) {
    verdict_ = has_some ? Verdict::kOwn : Verdict::kShared;
  }
  void learnThatItWrites() { writes_ = true; }
  // It was too slow, or waited too long, for a connection that others wait behind.
  void learnThatItIsSlow(std::uint64_t until_ns) { own_until_ns_ = until_ns; }
  // A row of it has cost the connection.
  void learnThatItIsLarge() { is_large_ = true; }

  // How it is put to the server now.
  PostgresFormPointer form() const;
  // The server has refused that form (see PostgresForm::next). False: no form is left, and the next
  // attempt begins anew; `failure` is then what the server said to the first.
  bool learnRefusal(const PostgresFormPointer& form, const std::string& state, std::size_t number,
                    Failure& failure);

  // Counts `pg_proc` entries outside pg_catalog with one of the names.
  static constexpr const char* kLookUp =
      "SELECT count(*) FROM pg_catalog.pg_proc WHERE proname = ANY ($1::name[]) AND "
      "pronamespace <> 'pg_catalog'::pg_catalog.regnamespace";

 private:
  enum class Verdict { kUnknown, kShared, kOwn };

  const bool reads_only_;
  std::string called_names_;
  std::atomic<Verdict> verdict_{Verdict::kUnknown};
  std::atomic<bool> writes_{false};
  std::atomic<bool> is_large_{false};
  std::atomic<std::uint64_t> own_until_ns_{0};
  const PostgresFormPointer first_form_;
  mutable std::mutex form_mutex_;
  PostgresFormPointer form_;
};
using PostgresTraitsPointer = std::shared_ptr<PostgresTraits>;

// The traits of all statements, by the number of their text. THREAD: any.
class PostgresTraitsTable {
 public:
  PostgresTraitsPointer of(const Statement& statement);

 private:
  std::mutex mutex_;
  PreparedStatements<PostgresTraitsPointer> entries_;
};

}  // namespace sub0::query
