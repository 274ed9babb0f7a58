// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "host_port.hpp"

namespace sub0::query {

// What an error of MariaDB or MySQL means for a caller, by its number: constraints get the wording
// of spec S-52, everything else is told without SQL or values. Pure, any thread. Of a statement
// that runs (kNoValues) the log has the server's words only where they cannot quote its values.
Failure mysqlFailure(unsigned number, std::string_view message, std::string_view sql, Shown shown);

// Whether the connection is gone with that error.
bool endsMysqlConnection(unsigned number);

// Whether it is about a value that fits its place only if it is cut, if at all; as a warning, too.
bool isMisfit(unsigned number);

// A duplicate of a key: the key's name, from the end of the server's message, and the table that
// the statement writes to. Which columns a key has only the database knows.
bool isDuplicate(unsigned number);
std::string keyOf(std::string_view message);
std::string tableWrittenBy(std::string_view sql);

// "Operation Failed: a, b already exists"; empty columns: "the value".
std::string alreadyExists(const std::string& columns);

}  // namespace sub0::query
