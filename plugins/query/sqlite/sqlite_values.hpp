// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>
#include <sub0/plugin.h>

#include <cstdint>
#include <string>
#include <vector>

#include "result_tree.hpp"

namespace sub0::query {

// Values on their way into SQLite and out of it. In: bound by JSON type, numbers with all digits
// where a column can hold them. Out: by the declared type of the column, expressions by storage
// class. Pure but for the statement they are given. spec S-30, S-32
struct SqliteParameter {
  std::uint32_t type = SQLITE_NULL;  // SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_NULL
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
};
using SqliteParameters = std::vector<SqliteParameter>;

SqliteParameter toSqlite(const sub0_value& value);

// Binds to a statement that was reset; the texts must outlive the execution.
int bindAll(sqlite3_stmt* statement, const SqliteParameters& parameters);

enum class ColumnKind : std::uint8_t {
  kByStorage,
  kBoolean,
  kJson,
  kInstant,
  kNumeric,
  kUuid,
  kBlob,
};

// What a declared type means; null or unknown: by storage class.
ColumnKind kindOfDeclaredType(const char* declared_type);

// Column `index` of the current row, its texts copied into the tree.
sub0_value readColumn(sqlite3_stmt* statement, int index, ColumnKind kind, ResultTree& tree);

}  // namespace sub0::query
