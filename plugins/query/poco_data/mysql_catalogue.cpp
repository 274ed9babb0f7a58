// SPDX-License-Identifier: Apache-2.0
// What MysqlDdl reads of information_schema.
#include <algorithm>
#include <utility>

#include "poco_data/mysql_ddl.hpp"

namespace sub0::query {
namespace {

constexpr const char* kTables = R"(SELECT table_name AS "table", table_comment AS comment,
  VERSION() LIKE '%MariaDB%' AS is_mariadb FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type <> 'VIEW')";

// CHECKs of a column are part of its definition on MariaDB, and of the table's on MySQL.
constexpr const char* kMysqlColumns = R"(SELECT c.table_name AS "table", c.column_name AS "column",
  c.data_type AS type, c.column_type AS definition,
  COALESCE(c.character_maximum_length, 0) AS length, c.is_nullable = 'NO' AS required,
  c.column_key = 'PRI' AS "primary", COALESCE(c.column_default, '') AS preset, c.extra AS extra,
  COALESCE(c.character_set_name, '') AS charset, COALESCE(c.collation_name, '') AS collation,
  c.column_comment AS comment, COALESCE(c.generation_expression, '') AS computed, )";
constexpr const char* kOfMariadb = R"(COALESCE(k.check_clause, '') AS bounds
FROM information_schema.columns c LEFT JOIN information_schema.check_constraints k
  ON k.constraint_schema = c.table_schema AND BINARY k.table_name = BINARY c.table_name
  AND k.constraint_name = c.column_name AND k.level = 'Column')";
constexpr const char* kOfMysql = R"('' AS bounds FROM information_schema.columns c)";
constexpr const char* kInOrder =
    " WHERE c.table_schema = DATABASE() ORDER BY c.table_name, c.ordinal_position";

constexpr const char* kMysqlIndexes = R"(SELECT table_name AS "table", index_name AS "index",
  non_unique = 0 AS is_unique, index_type = 'FULLTEXT' AS has_words,
  COALESCE(column_name, '') AS "column", sub_part IS NOT NULL AS is_cut
FROM information_schema.statistics WHERE table_schema = DATABASE()
ORDER BY table_name, index_name, seq_in_index)";

constexpr const char* kMysqlReferences =
    R"(SELECT u.table_name AS "table", u.column_name AS "column",
  u.referenced_table_name AS target, u.referenced_column_name AS "key", u.constraint_name AS name,
  COUNT(*) OVER (PARTITION BY u.table_name, u.constraint_name) AS columns,
  r.update_rule IN ('RESTRICT', 'NO ACTION') AND r.delete_rule IN ('RESTRICT', 'NO ACTION') AS plain
FROM information_schema.key_column_usage u JOIN information_schema.referential_constraints r
  ON r.constraint_schema = u.constraint_schema AND r.constraint_name = u.constraint_name
WHERE u.table_schema = DATABASE() AND u.referenced_table_name IS NOT NULL
ORDER BY u.table_name, u.constraint_name, u.ordinal_position)";

bool startsWith(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

// The default as SQL: MariaDB says it so, MySQL says the value, or marks an expression.
std::string presetOf(const std::string& preset, const std::string& extra, bool is_mariadb) {
  if (is_mariadb) {
    return preset == "NULL" ? "" : preset;
  }
  if (preset.empty()) {
    return {};
  }
  return extra.find("DEFAULT_GENERATED") != std::string::npos ? "(" + preset + ")"
                                                              : quotedText(preset);
}

std::string attributesOf(const ExistingColumn& column, const std::string& extra,
                         const std::string& comment, const std::string& bounds) {
  std::string text = extra.find("auto_increment") != std::string::npos ? " AUTO_INCREMENT" : "";
  text += column.default_text.empty() ? "" : " DEFAULT " + column.default_text;
  const std::size_t on_update = extra.find("on update");
  text += on_update == std::string::npos ? "" : " " + extra.substr(on_update);
  text += comment.empty() ? "" : " COMMENT " + quotedText(comment);
  return text + (bounds.empty() ? "" : " CHECK (" + bounds + ")");
}

ExistingColumn columnOf(const Rows& rows, std::size_t i, bool is_mariadb) {
  ExistingColumn column;
  const std::string full_type = rows.text(i, "definition");
  const std::string extra = rows.text(i, "extra");
  const std::string charset = rows.text(i, "charset");
  std::string bounds = rows.text(i, "bounds");
  column.name = rows.text(i, "column");
  column.type = rows.text(i, "type");
  if (full_type == "tinyint(1)" || full_type == "bit(1)") {
    column.type = "boolean";
  }
  column.definition = charset.empty() ? full_type
                                      : full_type + " CHARACTER SET " + charset + " COLLATE " +
                                            rows.text(i, "collation");
  if (startsWith(bounds, "json_valid(")) {  // how MariaDB keeps a JSON
    column.type = column.definition = "json";
    bounds.clear();
  }
  if (!rows.text(i, "computed").empty()) {
    column.definition.clear();
  }
  column.max_length = column.type == "varchar" ? rows.number(i, "length") : 0;
  column.is_required = rows.truth(i, "required");
  column.is_primary = rows.truth(i, "primary");
  column.is_key = column.is_primary;
  column.default_text = presetOf(rows.text(i, "preset"), extra, is_mariadb);
  column.attributes = attributesOf(column, extra, rows.text(i, "comment"), bounds);
  column.has_default =
      !column.default_text.empty() || extra.find("auto_increment") != std::string::npos;
  return column;
}

void takeMysqlIndexes(const Rows& rows, std::vector<ExistingTable>& tables) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ExistingTable* const table = tableCalled(tables, rows.text(i, "table"));
    if (table == nullptr) {
      continue;
    }
    const std::string column = rows.text(i, "column");
    const std::string name = rows.text(i, "index");
    if (rows.truth(i, "has_words")) {
      table->words.push_back(column);
      if (name == indexName(table->name, {column}, "fts")) {
        table->own_words.push_back(column);
      }
      continue;
    }
    if (table->indexes.empty() || table->indexes.back().name != name) {
      table->indexes.push_back(ExistingIndex{name, {}, rows.truth(i, "is_unique"), "", false});
    }
    ExistingIndex& index = table->indexes.back();
    index.columns.push_back(column);
    // Of the beginnings of values, or of an expression: no such index keeps values unique.
    index.is_unique = index.is_unique && !column.empty() && !rows.truth(i, "is_cut");
  }
}

void markKeys(ExistingTable& table) {
  for (ExistingColumn& column : table.columns) {
    for (const ExistingIndex& index : table.indexes) {
      column.is_key = column.is_key ||
                      (index.is_unique &&
                       std::count(index.columns.begin(), index.columns.end(), column.name) > 0);
    }
    for (const auto& reference : table.references) {
      column.is_key = column.is_key || reference.column == column.name;
    }
  }
}

bool takeTables(SqlSession& session, std::vector<ExistingTable>& tables, bool& is_mariadb,
                Failure& failure) {
  Rows rows;
  if (!rows.read(session, kTables, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    tables.emplace_back();
    tables.back().name = rows.text(i, "table");
    tables.back().mark = markIn(rows.text(i, "comment"));
    is_mariadb = rows.truth(i, "is_mariadb");
  }
  return true;
}

}  // namespace

bool MysqlDdl::readCatalogue(SqlSession& session, std::vector<ExistingTable>& tables,
                             Failure& failure) const {
  bool is_mariadb = true;
  if (!takeTables(session, tables, is_mariadb, failure)) {
    return false;
  }
  Rows rows;
  if (!rows.read(session,
                 std::string(kMysqlColumns) + (is_mariadb ? kOfMariadb : kOfMysql) + kInOrder,
                 failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (ExistingTable* const table = tableCalled(tables, rows.text(i, "table")); table != nullptr) {
      table->columns.push_back(columnOf(rows, i, is_mariadb));
    }
  }
  if (!rows.read(session, kMysqlIndexes, failure)) {
    return false;
  }
  takeMysqlIndexes(rows, tables);
  if (!rows.read(session, kMysqlReferences, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (ExistingTable* const table = tableCalled(tables, rows.text(i, "table")); table != nullptr) {
      table->references.push_back({rows.text(i, "column"), rows.text(i, "target"),
                                   rows.text(i, "key"), rows.text(i, "name"),
                                   rows.number(i, "columns") == 1, rows.truth(i, "plain")});
    }
  }
  std::for_each(tables.begin(), tables.end(), markKeys);
  return true;
}

}  // namespace sub0::query
