// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mysql/mysql.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "poco_data/data_session.hpp"

namespace sub0::query {

struct FreeMysqlResult {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};
using MysqlResult = std::unique_ptr<MYSQL_RES, FreeMysqlResult>;

// Types of MariaDB and MySQL on the way to JSON (spec S-32), and parameters on the way in. Poco's
// own extraction reads a DECIMAL as a double, so that digits would be lost; rows are read by the
// client library's own calls. THREAD: that of the statement.
enum class MysqlKind : std::uint8_t {
  kInteger,
  kUnsigned,
  kBoolean,  // tinyint(1)
  kBit,
  kFloat,
  kDouble,
  kDecimal,
  kInstant,
  kJson,
  kBytes,
  kText,
};
MysqlKind kindOf(const MYSQL_FIELD& field);
// The same of a statement's column, of which the library may know less than of the connection's.
MysqlKind kindOf(const MYSQL_FIELD& of_statement, const MYSQL_FIELD* of_connection);

// What was known of a column when its statement was executed before.
struct MysqlKnown {
  enum_field_types type;
  bool is_unsigned;
  MysqlKind kind;
};

// What a column's text means, copied into the tree.
sub0_value fromMysqlText(MysqlKind kind, std::string_view text, ResultTree& tree);

// Binds parameters that outlive the execution.
std::vector<MYSQL_BIND> bindMysql(const DataParameters& parameters);

// The columns of an executed statement, and the rows as they are fetched: long values are asked for
// one by one, so memory is bound by the tree's limit and the one row that the library holds.
class MysqlRows {
 public:
  // `known` is the statement's: a server that knows that its client has the columns' description
  // does not send it again, so what was known is kept.
  MysqlRows(MYSQL_STMT* statement, const MYSQL_RES& columns, const MYSQL& connection,
            std::vector<MysqlKnown>& known);
  MysqlRows(const MysqlRows&) = delete;
  MysqlRows& operator=(const MysqlRows&) = delete;

  std::vector<std::string_view> names() const;
  MYSQL_BIND* binds() { return binds_.data(); }
  // Puts the row that was fetched last into the tree.
  void add(ResultTree& tree);

 private:
  struct Column {
    MysqlKind kind = MysqlKind::kText;
    std::string_view name;
    std::int64_t integer = 0;
    double real = 0;
    float single = 0;
    bool is_one_bit = false;
    std::vector<char> text;
    unsigned long length = 0;
    my_bool is_null = 0;
    my_bool is_cut = 0;
  };

  sub0_value read(std::size_t index, ResultTree& tree);
  void bind(Column& column, MYSQL_BIND& bound);

  MYSQL_STMT* statement_;
  std::vector<Column> columns_;
  std::vector<MYSQL_BIND> binds_;
};

}  // namespace sub0::query
