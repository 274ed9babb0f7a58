// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "poco_data/data_session.hpp"

namespace sub0::query {

// MariaDB and MySQL round a fraction that goes into a column of whole numbers, without a word. So
// which parameter goes into which column is looked up in the statement, and MysqlSession asks for
// the column's type where a value has a fraction. Only a parameter that is by itself the value of a
// column counts: of VALUES, of SET, of ON DUPLICATE KEY UPDATE. Pure, any thread. spec S-30
struct MysqlAssignment {
  std::uint32_t place = 0;    // of the ? among them all
  std::string column;         // empty: only its number is known
  std::uint32_t ordinal = 0;  // from 1
};

// Of a statement in MariaDB's words; none where several tables are written, or IGNORE asks for it.
std::vector<MysqlAssignment> assignmentsOf(std::string_view sql);

// Whether it is a number, as such or as a text, with a fraction.
bool hasFraction(const DataParameter& parameter);

}  // namespace sub0::query
