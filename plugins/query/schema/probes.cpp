// SPDX-License-Identifier: Apache-2.0
#include "schema/probes.hpp"

#include <vector>

namespace sub0::query {
namespace {

// A statement that fails for what it says; not one that could not be tried.
bool isBroken(const Failure& failure) {
  return failure.code != SUB0_UNAVAILABLE && failure.code != SUB0_BUSY;
}

}  // namespace

bool Probes::tryBefore(Failure& failure) {
  std::vector<Probe> probes;
  if (!ddl_.readProbes(session_, probes, failure)) {
    return false;
  }
  for (const Probe& probe : probes) {
    Failure why;
    if (session_.execute(probe.sql, false, sub0_value{}, why) != nullptr) {
      continue;
    }
    if (!isBroken(why)) {
      failure = why;
      return false;
    }
    broken_.insert(probe.what);
  }
  return true;
}

bool Probes::tryBehind(Failure& failure) {
  std::vector<Probe> probes;
  if (!ddl_.readProbes(session_, probes, failure)) {
    return false;
  }
  for (const Probe& probe : probes) {
    Failure why;
    if (broken_.count(probe.what) > 0 ||
        session_.execute(probe.sql, false, sub0_value{}, why) != nullptr) {
      continue;
    }
    failure = isBroken(why)
                  ? Failure{SUB0_CONSTRAINT,
                            probe.what + " would fail from now on: change or drop it first (" +
                                why.log + ")",
                            ""}
                  : why;
    return false;
  }
  return true;
}

}  // namespace sub0::query
