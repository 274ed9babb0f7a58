// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_values.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "column_text.hpp"
#include "parameter_text.hpp"

namespace sub0::query {
namespace {

constexpr unsigned kBinaryCharset = 63;
constexpr unsigned kTypeJson = 245;  // of MySQL; MariaDB's library knows no such name
constexpr std::size_t kFirstTextBytes = 256;

// What MariaDB says of a column beyond the protocol of MySQL: "json", "uuid", "inet6".
bool isAttribute(const MYSQL_FIELD& field, mariadb_field_attr_t attribute, std::string_view word) {
  MARIADB_CONST_STRING text{};
  return mariadb_field_attr(&text, &field, attribute) == 0 && text.str != nullptr &&
         std::string_view(text.str, text.length) == word;
}

MysqlKind kindOfText(const MYSQL_FIELD& field) {
  if (isAttribute(field, MARIADB_FIELD_ATTR_FORMAT_NAME, "json")) {
    return MysqlKind::kJson;
  }
  const bool has_text = isAttribute(field, MARIADB_FIELD_ATTR_DATA_TYPE_NAME, "uuid") ||
                        isAttribute(field, MARIADB_FIELD_ATTR_DATA_TYPE_NAME, "inet6") ||
                        isAttribute(field, MARIADB_FIELD_ATTR_DATA_TYPE_NAME, "inet4");
  const bool is_binary = field.charsetnr == kBinaryCharset;
  return is_binary && !has_text ? MysqlKind::kBytes : MysqlKind::kText;
}

sub0_value integerValue(std::uint32_t type, std::int64_t integer) {
  sub0_value value{};
  value.type = type;
  value.as.i = integer;
  return value;
}

sub0_value unsignedValue(std::uint64_t number, ResultTree& tree) {
  if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return integerValue(SUB0_INT, static_cast<std::int64_t>(number));
  }
  return tree.text(SUB0_NUMBER, std::to_string(number));
}

sub0_value booleanValue(std::int64_t number) {
  return integerValue(number == 0 || number == 1 ? SUB0_BOOL : SUB0_INT, number);
}

sub0_value realValue(double real) {
  sub0_value value{};
  if (std::isfinite(real)) {
    value.type = SUB0_DOUBLE;
    value.as.d = real;
  }
  return value;
}

// The digits that name this float and no other, as a double has them.
double widened(float single) {
  std::array<char, 64> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), single);
  double real = 0;
  std::from_chars(digits.data(), written.ptr, real);
  return real;
}

// A BIT(n) arrives as its bytes, the highest first.
sub0_value bitValue(std::string_view bytes, ResultTree& tree) {
  std::uint64_t number = 0;
  for (const char byte : bytes) {
    number = number << 8U | static_cast<unsigned char>(byte);
  }
  return unsignedValue(number, tree);
}

sub0_value decimalValue(std::string_view text, ResultTree& tree) {
  const bool is_negative = !text.empty() && text[0] == '-';
  std::string_view digits = text.substr(is_negative ? 1 : 0);
  while (digits.size() > 1 && digits[0] == '0' && digits[1] != '.') {  // ZEROFILL
    digits.remove_prefix(1);
  }
  const std::string plain = (is_negative ? "-" : "") + std::string(digits);
  return tree.text(isJsonNumber(plain) ? SUB0_NUMBER : SUB0_TEXT, plain);
}

template <typename Number>
bool readWhole(std::string_view text, Number& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

MYSQL_BIND boundText(const std::string& text, enum_field_types type) {
  MYSQL_BIND bound{};
  bound.buffer_type = type;
  bound.buffer = const_cast<char*>(text.data());
  bound.buffer_length = static_cast<unsigned long>(text.size());
  return bound;
}

}  // namespace

MysqlKind kindOf(const MYSQL_FIELD& field) {
  const bool is_unsigned = (field.flags & UNSIGNED_FLAG) != 0;
  switch (static_cast<unsigned>(field.type)) {
    case MYSQL_TYPE_TINY:
      return field.length == 1 && !is_unsigned ? MysqlKind::kBoolean : MysqlKind::kInteger;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_YEAR:
      return MysqlKind::kInteger;
    case MYSQL_TYPE_LONGLONG:
      return is_unsigned ? MysqlKind::kUnsigned : MysqlKind::kInteger;
    case MYSQL_TYPE_FLOAT:
      return MysqlKind::kFloat;
    case MYSQL_TYPE_DOUBLE:
      return MysqlKind::kDouble;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      return MysqlKind::kDecimal;
    case MYSQL_TYPE_BIT:
      return field.length == 1 ? MysqlKind::kBoolean : MysqlKind::kBit;
    case MYSQL_TYPE_TIMESTAMP:
    case MYSQL_TYPE_DATETIME:
      return MysqlKind::kInstant;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_TIME:
      return MysqlKind::kText;
    case kTypeJson:
      return MysqlKind::kJson;
    case MYSQL_TYPE_GEOMETRY:
      return MysqlKind::kBytes;
    default:
      return kindOfText(field);
  }
}

// The columns of RETURNING are not known when the statement is prepared, and the library then keeps
// them without what MariaDB says beyond the protocol of MySQL.
MysqlKind kindOf(const MYSQL_FIELD& of_statement, const MYSQL_FIELD* of_connection) {
  const MysqlKind kind = kindOf(of_statement);
  const bool may_be_more = kind == MysqlKind::kText || kind == MysqlKind::kBytes;
  if (!may_be_more || of_connection == nullptr) {
    return kind;
  }
  const MysqlKind other = kindOf(*of_connection);
  return other == MysqlKind::kJson || kind == MysqlKind::kBytes ? other : kind;
}

sub0_value fromMysqlText(MysqlKind kind, std::string_view text, ResultTree& tree) {
  std::int64_t whole = 0;
  std::uint64_t large = 0;
  std::string made;
  switch (kind) {
    case MysqlKind::kInteger:
    case MysqlKind::kUnsigned:
      if (readWhole(text, whole)) {
        return integerValue(SUB0_INT, whole);
      }
      return readWhole(text, large) ? unsignedValue(large, tree) : tree.text(SUB0_TEXT, text);
    case MysqlKind::kBoolean:
      if (text.size() == 1 && static_cast<unsigned char>(text[0]) <= 1) {  // BIT(1)
        return booleanValue(text[0]);
      }
      return readWhole(text, whole) ? booleanValue(whole) : tree.text(SUB0_TEXT, text);
    case MysqlKind::kBit:
      return bitValue(text, tree);
    case MysqlKind::kFloat:
    case MysqlKind::kDouble: {
      double real = 0;
      std::from_chars(text.data(), text.data() + text.size(), real);
      return realValue(real);
    }
    case MysqlKind::kDecimal:
      return decimalValue(text, tree);
    case MysqlKind::kInstant:
      return tree.text(SUB0_TEXT, toIsoUtc(text, made) ? std::string_view(made) : text);
    case MysqlKind::kJson:
      if (isJson(text)) {
        return tree.text(SUB0_RAW, text);
      }
      break;
    case MysqlKind::kBytes:
      return tree.text(SUB0_TEXT, base64(text));
    case MysqlKind::kText:
      break;
  }
  return tree.text(SUB0_TEXT, isUtf8(text) ? text : std::string_view(made = toUtf8(text)));
}

std::vector<MYSQL_BIND> bindMysql(const DataParameters& parameters) {
  std::vector<MYSQL_BIND> bound;
  for (const DataParameter& parameter : parameters) {
    MYSQL_BIND bind{};
    bind.buffer_type = MYSQL_TYPE_NULL;
    switch (parameter.kind) {
      case DataParameter::Kind::kNull:
        break;
      case DataParameter::Kind::kInteger:
      case DataParameter::Kind::kUnsigned:
        bind.buffer_type = MYSQL_TYPE_LONGLONG;
        bind.is_unsigned = parameter.kind == DataParameter::Kind::kUnsigned ? 1 : 0;
        bind.buffer = const_cast<std::int64_t*>(&parameter.integer);
        break;
      case DataParameter::Kind::kReal:
        bind.buffer_type = MYSQL_TYPE_DOUBLE;
        bind.buffer = const_cast<double*>(&parameter.real);
        break;
      case DataParameter::Kind::kDecimal:
        bind = boundText(parameter.text, MYSQL_TYPE_NEWDECIMAL);
        break;
      case DataParameter::Kind::kText:
        bind = boundText(parameter.text, MYSQL_TYPE_STRING);
        break;
    }
    bound.push_back(bind);
  }
  return bound;
}

MysqlRows::MysqlRows(MYSQL_STMT* statement, const MYSQL_RES& columns, const MYSQL& connection,
                     std::vector<MysqlKnown>& known)
    : statement_(statement), columns_(columns.field_count), binds_(columns.field_count) {
  known.resize(columns.field_count, MysqlKnown{MYSQL_TYPE_NULL, false, MysqlKind::kText});
  for (unsigned i = 0; i < columns.field_count; ++i) {
    const MYSQL_FIELD& field = columns.fields[i];
    const bool is_same = connection.fields != nullptr &&
                         connection.field_count == columns.field_count &&
                         connection.fields[i].type == field.type;
    Column& column = columns_[i];
    const bool is_unsigned = (field.flags & UNSIGNED_FLAG) != 0;
    column.kind = known[i].type == field.type && known[i].is_unsigned == is_unsigned
                      ? known[i].kind
                      : kindOf(field, is_same ? &connection.fields[i] : nullptr);
    known[i] = MysqlKnown{field.type, is_unsigned, column.kind};
    if (column.kind == MysqlKind::kBoolean && field.type == MYSQL_TYPE_BIT) {
      column.kind = MysqlKind::kBit;  // until it is read
      column.is_one_bit = true;
    }
    column.name = std::string_view(field.name, field.name_length);
    bind(column, binds_[i]);
  }
}

void MysqlRows::bind(Column& column, MYSQL_BIND& bound) {
  bound.length = &column.length;
  bound.is_null = &column.is_null;
  bound.error = &column.is_cut;
  switch (column.kind) {
    case MysqlKind::kInteger:
    case MysqlKind::kUnsigned:
    case MysqlKind::kBoolean:
      bound.buffer_type = MYSQL_TYPE_LONGLONG;
      bound.is_unsigned = column.kind == MysqlKind::kUnsigned ? 1 : 0;
      bound.buffer = &column.integer;
      return;
    case MysqlKind::kFloat:
      bound.buffer_type = MYSQL_TYPE_FLOAT;
      bound.buffer = &column.single;
      return;
    case MysqlKind::kDouble:
      bound.buffer_type = MYSQL_TYPE_DOUBLE;
      bound.buffer = &column.real;
      return;
    default:
      column.text.resize(kFirstTextBytes);
      bound.buffer_type = column.kind == MysqlKind::kBytes || column.kind == MysqlKind::kBit
                              ? MYSQL_TYPE_BLOB
                              : MYSQL_TYPE_STRING;
      bound.buffer = column.text.data();
      bound.buffer_length = kFirstTextBytes;
      return;
  }
}

std::vector<std::string_view> MysqlRows::names() const {
  std::vector<std::string_view> names;
  for (const Column& column : columns_) {
    names.push_back(column.name);
  }
  return names;
}

void MysqlRows::add(ResultTree& tree) {
  tree.beginRow();
  for (std::size_t i = 0; i < columns_.size() && !tree.isOver(); ++i) {
    if (columns_[i].is_null == 0) {
      tree.column(i) = read(i, tree);
    }
  }
}

sub0_value MysqlRows::read(std::size_t index, ResultTree& tree) {
  Column& column = columns_[index];
  switch (column.kind) {
    case MysqlKind::kInteger:
      return integerValue(SUB0_INT, column.integer);
    case MysqlKind::kUnsigned:
      return unsignedValue(static_cast<std::uint64_t>(column.integer), tree);
    case MysqlKind::kBoolean:
      return booleanValue(column.integer);
    case MysqlKind::kFloat:
      return realValue(widened(column.single));
    case MysqlKind::kDouble:
      return realValue(column.real);
    default:
      break;
  }
  if (column.length <= kFirstTextBytes) {
    const std::string_view text(column.text.data(), column.length);
    return fromMysqlText(column.is_one_bit ? MysqlKind::kBoolean : column.kind, text, tree);
  }
  // What is over the limit anyway need not be copied first.
  if (tree.sizeBytes() + column.length > tree.limitBytes()) {
    return tree.giveUp();
  }
  std::string whole(column.length, '\0');
  MYSQL_BIND bound = binds_[index];
  bound.buffer = whole.data();
  bound.buffer_length = column.length;
  mysql_stmt_fetch_column(statement_, &bound, static_cast<unsigned>(index), 0);
  return fromMysqlText(column.kind, whole, tree);
}

}  // namespace sub0::query
