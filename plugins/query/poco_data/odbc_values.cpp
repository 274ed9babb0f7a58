// SPDX-License-Identifier: Apache-2.0
#include "poco_data/odbc_values.hpp"

#include <Poco/UnicodeConverter.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "column_text.hpp"
#include "sql_tokens.hpp"

#include <sqlucode.h>

namespace sub0::query {
namespace {

constexpr std::size_t kPieceBytes = 16384;
constexpr std::size_t kNameUnits = 256;
constexpr SQLULEN kLongestVarchar = 4000;

SQLSMALLINT targetOf(OdbcKind kind) {
  switch (kind) {
    case OdbcKind::kBytes:
      return SQL_C_BINARY;
    case OdbcKind::kText:
    case OdbcKind::kJson:
      return SQL_C_WCHAR;
    default:
      return SQL_C_CHAR;
  }
}

std::size_t terminatorOf(SQLSMALLINT target) {
  return target == SQL_C_BINARY ? 0 : target == SQL_C_WCHAR ? sizeof(SQLWCHAR) : 1;
}

// One column of the current row, piece by piece; -1: null.
int getData(SQLHSTMT statement, SQLUSMALLINT place, SQLSMALLINT target, std::size_t limit_bytes,
            std::string& out) {
  std::array<char, kPieceBytes> piece{};
  out.clear();
  while (true) {
    SQLLEN left = 0;
    const SQLRETURN status = SQLGetData(statement, place, target, piece.data(), kPieceBytes, &left);
    if (status == SQL_NO_DATA) {
      return 1;
    }
    if (!isGood(status)) {
      return 0;
    }
    if (left == SQL_NULL_DATA) {
      return -1;
    }
    const std::size_t room = kPieceBytes - terminatorOf(target);
    const bool has_more = left == SQL_NO_TOTAL || static_cast<std::size_t>(left) > room;
    out.append(piece.data(), has_more ? room : static_cast<std::size_t>(left));
    if (!has_more || out.size() > limit_bytes) {
      return 1;
    }
  }
}

sub0_value wholeValue(std::uint32_t type, std::int64_t whole) {
  sub0_value value{};
  value.type = type;
  value.as.i = whole;
  return value;
}

sub0_value numberValue(OdbcKind kind, std::string_view text, ResultTree& tree) {
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  const auto read = std::from_chars(text.data(), end, whole);
  const bool is_whole = read.ec == std::errc() && read.ptr == end;
  if (kind == OdbcKind::kBoolean) {
    const bool is_truth = is_whole && (whole == 0 || whole == 1);
    return is_truth ? wholeValue(SUB0_BOOL, whole) : tree.text(SUB0_TEXT, text);
  }
  if (kind == OdbcKind::kInteger && is_whole) {
    return wholeValue(SUB0_INT, whole);
  }
  if (kind == OdbcKind::kDouble) {
    sub0_value value{};
    double real = 0;
    const auto as_real = std::from_chars(text.data(), end, real);
    if (as_real.ec == std::errc() && std::isfinite(real)) {
      value.type = SUB0_DOUBLE;
      value.as.d = real;
    }
    return value;
  }
  std::string plain(text);
  const std::size_t sign = !plain.empty() && plain[0] == '-' ? 1 : 0;
  if (plain.size() > sign && plain[sign] == '.') {  // some drivers leave the zero out
    plain.insert(sign, 1, '0');
  }
  return isJsonNumber(plain) ? tree.text(SUB0_NUMBER, plain) : sub0_value{};
}

sub0_value valueOf(OdbcKind kind, std::string_view bytes, ResultTree& tree) {
  std::string made;
  switch (kind) {
    case OdbcKind::kInteger:
    case OdbcKind::kBoolean:
    case OdbcKind::kDouble:
    case OdbcKind::kDecimal:
      return numberValue(kind, bytes, tree);
    case OdbcKind::kInstant:
      return tree.text(SUB0_TEXT, toIsoUtc(bytes, made) ? std::string_view(made) : bytes);
    case OdbcKind::kBytes:
      return tree.text(SUB0_TEXT, base64(bytes));
    case OdbcKind::kUuid:
      made = std::string(bytes);
      std::transform(made.begin(), made.end(), made.begin(), [](char c) {
        return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
      });
      return tree.text(SUB0_TEXT, made);
    case OdbcKind::kPlain:
      return tree.text(SUB0_TEXT, isUtf8(bytes) ? bytes : std::string_view(made = toUtf8(bytes)));
    default: {
      std::u16string wide(bytes.size() / 2, u'\0');
      std::memcpy(wide.data(), bytes.data(), wide.size() * 2);
      made = fromUtf16(wide);
      return tree.text(kind == OdbcKind::kJson && isJson(made) ? SUB0_RAW : SUB0_TEXT, made);
    }
  }
}

}  // namespace

std::u16string toUtf16(std::string_view utf8) {
  Poco::UTF16String wide;
  Poco::UnicodeConverter::convert(std::string(utf8), wide);
  return {wide.begin(), wide.end()};
}

std::string fromUtf16(std::u16string_view utf16) {
  std::string utf8;
  Poco::UnicodeConverter::convert(Poco::UTF16String(utf16.begin(), utf16.end()), utf8);
  return isUtf8(utf8) ? utf8 : toUtf8(utf8);
}

OdbcKind kindOfOdbc(SQLSMALLINT type, std::string_view type_name) {
  const std::string name = capitals(type_name);
  if (name == "JSON" || name == "JSONB") {
    return OdbcKind::kJson;
  }
  if (name == "BOOL" || name == "BOOLEAN") {
    return OdbcKind::kBoolean;
  }
  switch (type) {
    case SQL_BIT:
      return OdbcKind::kBoolean;
    case SQL_TINYINT:
    case SQL_SMALLINT:
    case SQL_INTEGER:
    case SQL_BIGINT:
      return OdbcKind::kInteger;
    case SQL_REAL:
    case SQL_FLOAT:
    case SQL_DOUBLE:
      return OdbcKind::kDouble;
    case SQL_NUMERIC:
    case SQL_DECIMAL:
      return OdbcKind::kDecimal;
    case SQL_TYPE_TIMESTAMP:
    case SQL_TIMESTAMP:
      return OdbcKind::kInstant;
    case SQL_TYPE_DATE:
    case SQL_TYPE_TIME:
      return OdbcKind::kPlain;
    case SQL_GUID:
      return OdbcKind::kUuid;
    case SQL_BINARY:
    case SQL_VARBINARY:
    case SQL_LONGVARBINARY:
      return OdbcKind::kBytes;
    default:
      return OdbcKind::kText;
  }
}

// ---- in -----------------------------------------------------------------------------------------

OdbcParameters::OdbcParameters(const DataParameters& parameters) {
  for (const DataParameter& parameter : parameters) {
    Bound bound;
    bound.parameter = &parameter;
    if (parameter.kind == DataParameter::Kind::kText) {
      bound.wide = toUtf16(parameter.text);
      bound.size = static_cast<SQLLEN>(bound.wide.size() * sizeof(SQLWCHAR));
    } else if (parameter.kind == DataParameter::Kind::kUnsigned) {
      bound.digits = std::to_string(static_cast<std::uint64_t>(parameter.integer));
    } else if (parameter.kind == DataParameter::Kind::kDecimal) {
      bound.digits = parameter.text;
    }
    bound_.push_back(std::move(bound));
  }
}

bool OdbcParameters::bind(SQLHSTMT statement) {
  SQLUSMALLINT place = 0;
  return std::all_of(bound_.begin(), bound_.end(),
                     [&](Bound& bound) { return bindOne(statement, ++place, bound); });
}

bool OdbcParameters::bindOne(SQLHSTMT statement, SQLUSMALLINT place, Bound& bound) {
  const DataParameter& parameter = *bound.parameter;
  const auto give = [&](SQLSMALLINT c_type, SQLSMALLINT type, SQLULEN length, SQLSMALLINT decimals,
                        const void* data) {
    return isGood(SQLBindParameter(statement, place, SQL_PARAM_INPUT, c_type, type, length,
                                   decimals, const_cast<void*>(data), 0, &bound.size));
  };
  switch (parameter.kind) {
    case DataParameter::Kind::kInteger:
      return give(SQL_C_SBIGINT, SQL_BIGINT, 0, 0, &parameter.integer);
    case DataParameter::Kind::kReal:
      return give(SQL_C_DOUBLE, SQL_DOUBLE, 0, 0, &parameter.real);
    case DataParameter::Kind::kUnsigned:
    case DataParameter::Kind::kDecimal: {
      const std::size_t point = bound.digits.find('.');
      const std::size_t decimals = point == std::string::npos ? 0 : bound.digits.size() - point - 1;
      bound.size = SQL_NTS;
      return give(SQL_C_CHAR, SQL_DECIMAL, bound.digits.size(), static_cast<SQLSMALLINT>(decimals),
                  bound.digits.c_str());
    }
    case DataParameter::Kind::kText: {
      const SQLULEN length = std::max<SQLULEN>(bound.wide.size(), 1);
      return give(SQL_C_WCHAR, length > kLongestVarchar ? SQL_WLONGVARCHAR : SQL_WVARCHAR, length,
                  0, bound.wide.data());
    }
    default:
      bound.size = SQL_NULL_DATA;
      return give(SQL_C_CHAR, SQL_VARCHAR, 1, 0, nullptr);
  }
}

// ---- out ----------------------------------------------------------------------------------------

bool OdbcRows::describe(SQLHSTMT statement) {
  SQLSMALLINT count = 0;
  if (!isGood(SQLNumResultCols(statement, &count))) {
    return false;
  }
  for (SQLUSMALLINT place = 1; place <= static_cast<SQLUSMALLINT>(count); ++place) {
    std::array<SQLWCHAR, kNameUnits> name{};
    std::array<char, kNameUnits> type_name{};
    SQLSMALLINT name_size = 0;
    SQLSMALLINT type = 0;
    SQLULEN size = 0;
    SQLSMALLINT ignored = 0;
    if (!isGood(SQLDescribeColW(statement, place, name.data(), kNameUnits, &name_size, &type, &size,
                                &ignored, &ignored))) {
      return false;
    }
    SQLSMALLINT type_size = 0;
    SQLColAttribute(statement, place, SQL_DESC_TYPE_NAME, type_name.data(), kNameUnits - 1,
                    &type_size, nullptr);
    Column column;
    const auto length = std::min<std::size_t>(static_cast<std::size_t>(name_size), kNameUnits - 1);
    column.name = fromUtf16(std::u16string(name.begin(), name.begin() + static_cast<long>(length)));
    column.kind = kindOfOdbc(type, type_name.data());
    columns_.push_back(std::move(column));
  }
  return true;
}

std::vector<std::string> OdbcRows::names() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) {
    names.push_back(column.name);
  }
  return names;
}

bool OdbcRows::add(SQLHSTMT statement, ResultTree& tree) {
  tree.beginRow();
  for (std::size_t i = 0; i < columns_.size() && !tree.isOver(); ++i) {
    if (!read(statement, i, tree)) {
      return false;
    }
  }
  return true;
}

bool OdbcRows::read(SQLHSTMT statement, std::size_t index, ResultTree& tree) {
  const OdbcKind kind = columns_[index].kind;
  const std::size_t room =
      tree.limitBytes() > tree.sizeBytes() ? tree.limitBytes() - tree.sizeBytes() : 0;
  const std::size_t most = targetOf(kind) == SQL_C_WCHAR ? 2 * room : room;
  const int got =
      getData(statement, static_cast<SQLUSMALLINT>(index + 1), targetOf(kind), most, buffer_);
  if (got > 0) {
    tree.column(index) = buffer_.size() > most ? tree.giveUp() : valueOf(kind, buffer_, tree);
  }
  return got != 0;
}

}  // namespace sub0::query
