// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sql.h>
#include <sqlext.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "poco_data/data_session.hpp"

namespace sub0::query {

inline bool isGood(SQLRETURN status) { return SQL_SUCCEEDED(status); }

// Values of an ODBC driver on their way to JSON (spec S-32), and parameters on the way in. Numbers
// and times are asked for as text, so no digit is lost; texts as UTF-16, the one encoding that all
// drivers agree on. THREAD: that of the statement.
enum class OdbcKind : std::uint8_t {
  kInteger,
  kBoolean,
  kDouble,
  kDecimal,
  kInstant,
  kPlain,  // dates and times: ASCII
  kUuid,
  kJson,
  kBytes,
  kText,
};
OdbcKind kindOfOdbc(SQLSMALLINT type, std::string_view type_name);

std::u16string toUtf16(std::string_view utf8);
std::string fromUtf16(std::u16string_view utf16);

// Parameters bound to a statement, and what the driver points to until it has executed.
class OdbcParameters {
 public:
  explicit OdbcParameters(const DataParameters& parameters);
  OdbcParameters(const OdbcParameters&) = delete;
  OdbcParameters& operator=(const OdbcParameters&) = delete;
  bool bind(SQLHSTMT statement);

 private:
  struct Bound {
    const DataParameter* parameter = nullptr;
    std::u16string wide;
    std::string digits;
    SQLLEN size = 0;
  };
  static bool bindOne(SQLHSTMT statement, SQLUSMALLINT place, Bound& bound);
  std::vector<Bound> bound_;
};

// The columns of an executed statement and its rows.
class OdbcRows {
 public:
  // False: the statement's diagnostics say why.
  bool describe(SQLHSTMT statement);
  std::size_t count() const { return columns_.size(); }
  std::vector<std::string> names() const;
  // Puts the row that was fetched last into the tree.
  bool add(SQLHSTMT statement, ResultTree& tree);

 private:
  struct Column {
    std::string name;
    OdbcKind kind = OdbcKind::kText;
  };
  bool read(SQLHSTMT statement, std::size_t index, ResultTree& tree);

  std::vector<Column> columns_;
  std::string buffer_;
};

}  // namespace sub0::query
