// SPDX-License-Identifier: Apache-2.0
#include "schema/table.hpp"

#include <sub0/plugin/value.hpp>

#include <algorithm>
#include <cctype>
#include <utility>

namespace sub0::query {
namespace {

constexpr std::pair<std::string_view, ColumnType> kTypes[] = {
    {"String", ColumnType::kString},     {"Number", ColumnType::kNumber},
    {"Float", ColumnType::kFloat},       {"Boolean", ColumnType::kBoolean},
    {"DateTime", ColumnType::kDateTime}, {"JSON_OBJECT", ColumnType::kJson},
    {"JSON_ARRAY", ColumnType::kJson},
};

bool readColumn(Value field, Column& column, std::string& error) {
  column.name = field.find("name").asText();
  const std::string_view type = field.find("type").asText();
  const auto* const known = std::find_if(std::begin(kTypes), std::end(kTypes),
                                         [type](const auto& pair) { return pair.first == type; });
  if (column.name.empty() || known == std::end(kTypes)) {
    error = "a field of a model has no name, or a type that is not known: " + std::string(type);
    return false;
  }
  column.type = known->second;
  column.max_length = field.find("max_length").asInt();
  column.is_primary = field.find("primary_key").asBool();
  column.is_required = column.is_primary || !field.find("optional").asBool();
  column.is_identity = field.find("auto_increment").asBool();
  column.is_indexed = field.find("indexable").asBool();
  column.has_words = field.find("fts").asBool();
  const Value key = field.find("foreign_key");
  if (key.isObject()) {
    column.reference = Reference{std::string(key.find("model").asText()), "",
                                 std::string(key.find("key").asText())};
  }
  return true;
}

// spec S-102
void addTimes(Table& table) {
  for (const char* const name : {"created_at", "updated_at", "deleted_at"}) {
    if (table.find(name) != nullptr) {
      continue;
    }
    Column column;
    column.name = name;
    column.type = ColumnType::kDateTime;
    column.is_implicit = true;
    column.is_now = column.name != "deleted_at";
    column.is_required = column.is_now;
    table.columns.push_back(std::move(column));
  }
}

bool readTable(Value model, Table& table, std::string& error) {
  table.model = model.find("model").asText();
  table.name = model.find("table").asText();
  table.is_used = model.find("is_used").asBool();
  if (table.model.empty() || table.name.empty()) {
    error = "a model has no name, or no table";
    return false;
  }
  for (const Value field : model.find("fields").items()) {
    Column column;
    if (!readColumn(field, column, error)) {
      return false;
    }
    table.columns.push_back(std::move(column));
  }
  for (const Value group : model.find("unique").items()) {
    std::vector<std::string> columns;
    for (const Value column : group.items()) {
      columns.emplace_back(column.asText());
    }
    for (Column& column : table.columns) {
      column.is_unique = column.is_unique ||
                         std::any_of(columns.begin(), columns.end(), [&](const std::string& name) {
                           return isSameName(name, column.name);
                         });
    }
    table.unique.push_back(std::move(columns));
  }
  addTimes(table);
  return true;
}

}  // namespace

const Column* Table::find(std::string_view column) const {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& one) {
    return isSameColumn(one.name, column, is_exact);
  });
  return found == columns.end() ? nullptr : &*found;
}

const ExistingColumn* ExistingTable::find(std::string_view column) const {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const ExistingColumn& one) {
    return isSameColumn(one.name, column, is_exact);
  });
  return found == columns.end() ? nullptr : &*found;
}

ExistingTable* tableCalled(std::vector<ExistingTable>& tables, std::string_view name) {
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const ExistingTable& table) { return table.name == name; });
  return found == tables.end() ? nullptr : &*found;
}

bool isSameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) ==
                  std::tolower(static_cast<unsigned char>(y));
         });
}

bool isSameColumn(std::string_view a, std::string_view b, bool is_exact) {
  return is_exact ? a == b : isSameName(a, b);
}

bool readTables(const sub0_value& models, std::vector<Table>& tables, std::string& error) {
  if (models.type != SUB0_ARRAY) {
    error = "the models are no array";
    return false;
  }
  for (const Value model : Value(models).items()) {
    tables.emplace_back();
    if (!readTable(model, tables.back(), error)) {
      return false;
    }
  }
  return true;
}

}  // namespace sub0::query
