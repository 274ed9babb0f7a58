// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host_port.hpp"
#include "postgres/postgres_wire.hpp"

namespace sub0::query {

// What an error of PostgreSQL means for a caller, by its SQLSTATE: class 23 gets the wording of
// spec S-52, everything else `action_failed` without SQL. A write that a read-only transaction
// refused is `unavailable`; who began that transaction says otherwise. Pure, any thread.
Failure postgresFailure(const PostgresError& error, const std::string& sql,
                        Shown shown = Shown::kNoValues);

// Whether the state says that the connection ends with this error (57P01 ... 57P05, 08xxx).
bool endsConnection(const std::string& state);

// Whether the server refuses the statement as it reads it, before it does anything, because of the
// types of its parameters or what follows from them.
bool refusesTypes(const PostgresError& error);

// The number of the parameter that the server could not type (42P08, 42P18), or 0.
std::size_t untypedParameter(const PostgresError& error);

}  // namespace sub0::query
