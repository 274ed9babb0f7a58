// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_ddl.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "poco_data/mysql_errors.hpp"
#include "poco_data/mysql_table_change.hpp"

namespace sub0::query {
namespace mysql {
namespace {

constexpr std::int64_t kLongestKeyBytes = 3072;
constexpr const char* kOfCodePoints = " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
constexpr const char* kOfWords = " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";

}  // namespace

std::int64_t lengthOf(const Column& column) {
  if (column.max_length > 0) {
    return column.max_length <= kLongestVarchar ? column.max_length : 0;
  }
  const bool is_key = column.is_primary || column.is_unique || column.reference.has_value();
  return is_key ? kPrefix : 0;
}

bool isTextType(std::string_view type) {
  return type == "text" || type == "tinytext" || type == "mediumtext" || type == "longtext";
}

std::string typeInFull(const Column& column) {
  const bool is_string = column.type == ColumnType::kString;
  return MysqlDdl().typeOf(column) + (!is_string         ? ""
                                      : column.has_words ? kOfWords
                                                         : kOfCodePoints);
}

std::string typeWithWords(const ExistingColumn& column, bool has_words) {
  const std::size_t end = column.definition.find(" CHARACTER SET ");
  if (end == std::string::npos || (!has_words && column.definition.substr(end) != kOfWords)) {
    return column.definition;
  }
  return column.definition.substr(0, end) + (has_words ? kOfWords : kOfCodePoints);
}

bool isCutInKey(const Column& column) {
  return column.type == ColumnType::kJson ||
         (column.type == ColumnType::kString && lengthOf(column) == 0);
}

std::string definitionOf(const Column& column) {
  std::string text = quotedName(column.name) + " " + typeInFull(column);
  text += column.is_required ? " NOT NULL" : "";
  text += column.is_identity ? " AUTO_INCREMENT" : "";           // spec S-104
  text += column.is_now ? " DEFAULT CURRENT_TIMESTAMP(3)" : "";  // spec S-102
  return text + (column.is_primary ? " PRIMARY KEY" : "");
}

std::string keyPart(const std::string& column, bool is_text, std::int64_t length) {
  if (is_text || length > kLongestInKey) {
    return quotedName(column) + "(" + std::to_string(is_text ? kPrefix : kLongestInKey) + ")";
  }
  return quotedName(column);
}

std::string referenceClause(std::string_view table, const Column& column, Names& names) {
  return "CONSTRAINT " + quotedName(names.take(table, {column.name}, "fkey")) + " FOREIGN KEY (" +
         quotedName(column.name) + ") REFERENCES " + quotedName(column.reference->table) + " (" +
         quotedName(column.reference->column) + ")";
}

std::string keyProblem(const Table& table, const std::vector<std::string>& columns) {
  std::string names;
  std::int64_t bytes = 0;
  for (const std::string& name : columns) {
    const Column* const column = table.find(name);
    names += (names.empty() ? "" : ", ") + name;
    if (column == nullptr) {
      continue;
    }
    if (column->type == ColumnType::kJson) {
      return name + " is JSON, which no key can hold";
    }
    bytes += column->type == ColumnType::kString
                 ? 4 * std::max(lengthOf(*column), column->max_length)
                 : 8;
  }
  if (bytes <= kLongestKeyBytes) {
    return {};
  }
  return names + ": a key has at most " + std::to_string(kLongestKeyBytes) +
         " bytes, and a character counts 4: give it a max_length of " +
         std::to_string(kLongestKeyBytes / 4 / static_cast<std::int64_t>(columns.size())) +
         " or less";
}

}  // namespace mysql

namespace {

// One lock for all migrations of a database, kept by the session; a session that gets none in a
// year, or is told to stop waiting, fails by what no DOUBLE holds.
constexpr const char* kMysqlLock =
    "SELECT EXP(IF(GET_LOCK(CONCAT('sub0.', MD5(DATABASE())), 31536000) = 1, 0, 1000))";

// Types that hold what a column of that type may hold, and read back as the same JSON.
struct MysqlFamily {
  ColumnType type;
  std::string_view name;
};
constexpr std::array<MysqlFamily, 29> kMysqlFamilies = {{
    {ColumnType::kNumber, "bigint"},     {ColumnType::kNumber, "int"},
    {ColumnType::kNumber, "mediumint"},  {ColumnType::kNumber, "smallint"},
    {ColumnType::kNumber, "tinyint"},    {ColumnType::kNumber, "decimal"},
    {ColumnType::kNumber, "year"},       {ColumnType::kFloat, "double"},
    {ColumnType::kFloat, "float"},       {ColumnType::kFloat, "decimal"},
    {ColumnType::kBoolean, "boolean"},   {ColumnType::kDateTime, "datetime"},
    {ColumnType::kDateTime, "date"},     {ColumnType::kDateTime, "timestamp"},
    {ColumnType::kJson, "json"},         {ColumnType::kString, "varchar"},
    {ColumnType::kString, "text"},       {ColumnType::kString, "tinytext"},
    {ColumnType::kString, "mediumtext"}, {ColumnType::kString, "longtext"},
    {ColumnType::kString, "char"},       {ColumnType::kString, "enum"},
    {ColumnType::kString, "set"},        {ColumnType::kString, "uuid"},
    {ColumnType::kString, "inet4"},      {ColumnType::kString, "inet6"},
    {ColumnType::kString, "nvarchar"},   {ColumnType::kString, "nchar"},
    {ColumnType::kString, "time"},
}};

std::int64_t bytesOfText(std::string_view type) {
  return type == "tinytext"     ? 255
         : type == "text"       ? 65535
         : type == "mediumtext" ? 16777215
                                : 4294967295;
}

Fit fitOfString(const Column& column, const ExistingColumn& existing) {
  const std::int64_t wanted = mysql::lengthOf(column);
  if (mysql::isTextType(existing.type)) {
    if (wanted > 0) {
      return Fit::kDiffers;
    }
    const std::int64_t bytes = column.max_length > 0 ? 4 * column.max_length : 65535;
    return std::min<std::int64_t>(bytes, 4294967295) <= bytesOfText(existing.type) ? Fit::kFits
                                                                                   : Fit::kWidens;
  }
  if (existing.type != "varchar") {
    return Fit::kFits;  // a type of its own, with its own bounds
  }
  if (column.max_length == 0) {  // a key holds no TEXT
    const bool is_enough = wanted > 0 ? existing.max_length >= wanted : existing.is_key;
    return is_enough ? Fit::kFits : Fit::kWidens;
  }
  if (wanted == 0 || wanted > existing.max_length) {
    return Fit::kWidens;
  }
  return wanted == existing.max_length ? Fit::kFits : Fit::kDiffers;
}

}  // namespace

std::vector<std::string> MysqlDdl::begin(bool only_reads) const {
  if (only_reads) {
    return {"START TRANSACTION READ ONLY"};
  }
  // Waiting for another node's migration may take its time; for the calls of running nodes, which
  // wait in turn behind us, it may not. A row numbered 0 keeps its number when a key gets its
  // AUTO_INCREMENT.
  return {kMysqlLock, "SET SESSION lock_wait_timeout = 10",
          "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')"};
}

// Indexes have names in their table, references in the whole database.
std::string MysqlDdl::takenNames() const {
  return "SELECT constraint_name AS name FROM information_schema.table_constraints WHERE "
         "constraint_schema = DATABASE() AND constraint_type = 'FOREIGN KEY'";
}

Fit MysqlDdl::fit(const Column& column, const ExistingColumn& existing) const {
  const bool is_family =
      std::any_of(kMysqlFamilies.begin(), kMysqlFamilies.end(), [&](const MysqlFamily& family) {
        return family.type == column.type && family.name == existing.type;
      });
  if (!is_family) {
    return Fit::kDiffers;
  }
  return column.type == ColumnType::kString ? fitOfString(column, existing) : Fit::kFits;
}

Misfit MysqlDdl::misfitOf(const Column& wanted, const ExistingColumn& existing) const {
  if (wanted.type == ColumnType::kNumber &&
      (existing.type == "double" || existing.type == "float")) {
    return withFraction(existing.name);
  }
  if (wanted.type == ColumnType::kBoolean && existing.type == "bigint") {
    return notZeroOrOne(existing.name);
  }
  return wanted.type == ColumnType::kString
             ? tooLong("char_length(" + quotedName(existing.name) + ")", mysql::lengthOf(wanted))
             : Misfit{};
}

// "MariaDB: error 1265 in: ..."
Refusal MysqlDdl::refusalIn(const Failure& failure) const {
  constexpr std::string_view kError = "MariaDB: error ";
  if (failure.log.compare(0, kError.size(), kError) != 0) {
    return {};
  }
  const auto number =
      static_cast<unsigned>(std::strtoul(failure.log.c_str() + kError.size(), nullptr, 10));
  const std::string error = std::string(kError) + std::to_string(number);
  if (isMisfit(number)) {
    return {error, "", true};
  }
  if (isDuplicate(number)) {
    return {error + ", rows have the same values where a key takes them once", "", false};
  }
  switch (number) {
    case 1138:  // ER_INVALID_USE_OF_NULL
    case 1048:  // ER_BAD_NULL_ERROR
      return {error + ", rows have null in a column that takes none", "", false};
    case 4025:  // ER_CONSTRAINT_FAILED
      return {error + ", rows break a CHECK of the table", "", false};
    case 1452:  // ER_NO_REFERENCED_ROW_2
      return {error + ", rows refer to rows that are not there", "", false};
    default:
      return {};
  }
}

std::string MysqlDdl::typeOf(const Column& column) const {
  const std::int64_t length = mysql::lengthOf(column);
  switch (column.type) {
    case ColumnType::kString:
      return length > 0               ? "varchar(" + std::to_string(length) + ")"
             : column.max_length == 0 ? "text"
             : column.max_length <= mysql::kLongestMediumText ? "mediumtext"
                                                              : "longtext";
    case ColumnType::kNumber:
      return "bigint";
    case ColumnType::kFloat:
      return "double";
    case ColumnType::kBoolean:
      return "boolean";
    case ColumnType::kDateTime:
      return "datetime(3)";
    case ColumnType::kJson:
      return "json";
  }
  return "text";
}

std::string MysqlDdl::problemOf(const Table& table) const {
  std::int64_t row_bytes = 0;
  for (const Column& column : table.columns) {
    row_bytes += column.type == ColumnType::kString && mysql::lengthOf(column) > 0
                     ? 4 * mysql::lengthOf(column) + 2
                     : 12;
    std::string problem = column.is_primary || column.reference
                              ? mysql::keyProblem(table, {column.name})
                              : std::string();
    if (!problem.empty()) {
      return problem;
    }
  }
  if (row_bytes > 65535) {
    return "its texts take " + std::to_string(row_bytes) +
           " bytes in a row, of 65535 at most: a character counts 4. Give some a smaller "
           "max_length, or none";
  }
  for (const std::vector<std::string>& group : table.unique) {
    if (const std::string problem = mysql::keyProblem(table, group); !problem.empty()) {
      return "unique " + problem;
    }
  }
  return {};
}

// References may lead to tables that come after this one, or to each other in a circle.
std::vector<std::string> MysqlDdl::createTable(const Table& table, Names& names) const {
  std::string parts;
  const auto add = [&](const std::string& part) { parts += (parts.empty() ? "" : ", ") + part; };
  for (const Column& column : table.columns) {
    add(mysql::definitionOf(column));
  }
  for (const Column& column : table.columns) {
    if (column.is_indexed && !column.is_primary) {
      add("KEY " + quotedName(indexName(table.name, {column.name}, "idx")) + " (" +
          mysql::keyPart(column.name, mysql::isCutInKey(column), mysql::lengthOf(column)) + ")");
    }
    if (column.has_words) {
      add("FULLTEXT KEY " + quotedName(indexName(table.name, {column.name}, "fts")) + " (" +
          quotedName(column.name) + ")");
    }
    if (column.reference) {
      add(mysql::referenceClause(table.name, column, names));
    }
  }
  for (const std::vector<std::string>& group : table.unique) {
    add("UNIQUE KEY " + quotedName(indexName(table.name, group, "key")) + " (" + nameList(group) +
        ")");
  }
  return {"SET SESSION foreign_key_checks = 0",
          "CREATE TABLE " + quotedName(table.name) + " (" + parts +
              ") ENGINE = InnoDB, ROW_FORMAT = DYNAMIC, CHARACTER SET utf8mb4, COLLATE "
              "utf8mb4_bin, COMMENT = " +
              quotedText(textOf({table.model, table.project})),
          "SET SESSION foreign_key_checks = 1"};
}

std::vector<std::string> MysqlDdl::changeTable(const TableChanges& changes, Names& /*names*/,
                                               std::string& error) const {
  return MysqlTableChange(changes).statements(error);
}

// The index that came with a reference goes with it, where the model does not want one.
std::vector<std::string> MysqlDdl::dropReferences(const TableChanges& changes) const {
  std::vector<std::string> statements;
  for (const Change& change : changes.changes) {
    if (change.kind != ChangeKind::kDropReference) {
      continue;
    }
    const std::string& name = change.reference->name;
    const Column* const column = changes.wanted->find(change.name);
    const auto& indexes = changes.existing->indexes;
    const bool has_index_of_its_own =
        std::any_of(indexes.begin(), indexes.end(),
                    [&](const ExistingIndex& index) { return index.name == name; });
    const bool is_index_wanted = column->is_indexed || column->reference;
    statements.push_back(
        "ALTER TABLE " + quotedName(changes.existing->name) + " DROP FOREIGN KEY " +
        quotedName(name) +
        (has_index_of_its_own && !is_index_wanted ? ", DROP INDEX " + quotedName(name) : ""));
  }
  return statements;
}

std::vector<std::string> MysqlDdl::addReferences(const TableChanges& changes, Names& names) const {
  std::string clauses;
  for (const Change& change : changes.changes) {
    if (change.kind == ChangeKind::kAddReference) {
      const Column& column = *changes.wanted->find(change.name);
      clauses += (clauses.empty() ? "ADD " : ", ADD ") +
                 mysql::referenceClause(changes.wanted->name, column, names);
    }
  }
  if (clauses.empty()) {
    return {};
  }
  return {"ALTER TABLE " + quotedName(changes.existing->name) + " " + clauses};
}

std::vector<std::string> MysqlDdl::dropTables(
    const std::vector<const ExistingTable*>& tables) const {
  std::vector<std::string> statements;
  for (const ExistingTable* const table : tables) {
    std::string clauses;
    std::string last;
    for (const ExistingReference& reference : table->references) {
      if (reference.name != last) {  // one of several columns comes several times
        clauses +=
            (clauses.empty() ? "" : ", ") + ("DROP FOREIGN KEY " + quotedName(reference.name));
      }
      last = reference.name;
    }
    if (!clauses.empty()) {
      statements.push_back("ALTER TABLE " + quotedName(table->name) + " " + clauses);
    }
  }
  for (const ExistingTable* const table : tables) {
    statements.push_back("DROP TABLE " + quotedName(table->name));
  }
  return statements;
}

}  // namespace sub0::query
