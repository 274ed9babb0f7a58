// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "schema/ddl.hpp"

namespace sub0::query {

// What of the database reads tables by statements of its own, triggers and views, and must go on to
// do so behind a migration: what failed before is left alone. Where the database sees to that
// itself there is nothing to try (Ddl::readProbes). Blocks; one migration.
class Probes {
 public:
  Probes(SqlSession& session, const Ddl& ddl) : session_(session), ddl_(ddl) {}

  // Tries all that is there before the changes.
  bool tryBefore(Failure& failure);
  // Tries again; false and what fails only now.
  bool tryBehind(Failure& failure);

 private:
  SqlSession& session_;
  const Ddl& ddl_;
  std::set<std::string> broken_;
};

}  // namespace sub0::query
