// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <optional>
#include <string>
#include <string_view>

namespace sub0::query {

// PostgreSQL's casts, which SQLite's own are not: those cut fractions off, and make a number, 0 at
// worst, of any text. Statements therefore call functions of ours, most within a CAST, which gives
// the result its affinity (sqlite_rewrite.cpp). Null stays null, whole numbers keep all digits, and
// an error says no value. Pure, any thread. spec S-30
//   sub0_whole(x)          rounded; of a text, a whole number
//   sub0_number(x)         of a text, a number
//   sub0_decimal(x, p, s)  rounded to s digits behind the point, p in all
//   sub0_boolean(x)        1 or 0
//   sub0_day(x)            what SQLite's date() reads
void addCastFunctions(sqlite3* database);

// Whether an error of SQLite's is one of those functions'.
bool isErrorOfCast(std::string_view message);

// What PostgreSQL takes a text for as a boolean: 'true', ' Yes', 'off', 't'; none: it refuses it.
std::optional<bool> booleanOf(std::string_view text);

// A plain decimal rounded to so many digits behind the point, halves away from zero.
std::string roundedDecimal(std::string_view plain, std::size_t digits);

}  // namespace sub0::query
