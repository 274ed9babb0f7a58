// SPDX-License-Identifier: Apache-2.0
#include <iterator>

#include "dialect/keys.hpp"

// The keys of models/*.json (S-100); those of resources are in declarations.cpp.
namespace sub0::dialect {

namespace {

// The longest varchar of PostgreSQL.
constexpr std::int64_t kMaxLength = 10'485'760;

constexpr KeyDeclaration kForeignKeyKeys[] = {
    {.name = "of",
     .types = kText,
     .required = true,
     .rule = "S-100",
     .text = "the model that is referred to, by its name or its table's",
     .may_be_empty = false},
    {.name = "key",
     .types = kText,
     .required = true,
     .rule = "S-100",
     .text = "its field, a primary key",
     .may_be_empty = false},
};
constexpr ObjectDeclaration kForeignKey{"foreign_key", kForeignKeyKeys, std::size(kForeignKeyKeys)};

constexpr KeyDeclaration kFieldKeys[] = {
    {.name = "type",
     .types = kText,
     .required = true,
     .rule = "S-100",
     .text = "what the column holds",
     .values = "String|Number|Float|Boolean|DateTime|JSON_OBJECT|JSON_ARRAY"},
    {.name = "optional", .types = kBool, .rule = "S-100", .text = "it may be null"},
    {.name = "primary_key", .types = kBool, .rule = "S-100", .text = "it names the row"},
    {.name = "auto_increment",
     .types = kBool,
     .rule = "S-104",
     .text = "the database numbers new rows"},
    {.name = "max_length",
     .types = kWhole,
     .rule = "S-100",
     .text = "most characters",
     .least = 1,
     .most = kMaxLength,
     .of_types = "String"},
    {.name = "indexable", .types = kBool, .rule = "S-100", .text = "the column gets an index"},
    {.name = "fts",
     .types = kBool,
     .rule = "S-100",
     .text = "the column gets an index of its words",
     .of_types = "String"},
    {.name = "foreign_key",
     .types = kObject,
     .rule = "S-100",
     .text = "it refers to a row of another model",
     .members = &kForeignKey},
    {.name = "properties",
     .types = kObject,
     .rule = "S-100",
     .text = "what the members of the JSON are, for readers",
     .of_types = "JSON_OBJECT|JSON_ARRAY"},
    {.name = "property_type",
     .types = kText,
     .rule = "S-100",
     .text = "what the elements of the JSON are, for readers",
     .of_types = "JSON_OBJECT|JSON_ARRAY"},
};
constexpr ObjectDeclaration kModelField{"field of a model", kFieldKeys, std::size(kFieldKeys)};
constexpr ObjectDeclaration kModel{"model", nullptr, 0, &kModelField};

}  // namespace

const ObjectDeclaration& modelDeclaration() { return kModel; }

}  // namespace sub0::dialect
