// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>
#include <sub0/plugin.h>

#include <array>
#include <memory_resource>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "result_tree.hpp"

namespace sub0::query {

// Values on their way to PostgreSQL and back. In: everything as text, the type is the server's to
// tell. Out: by the type of the column, each in the JSON form of its meaning; what has none is its
// text. Pure, any thread. spec S-30, S-32

// The parameters of one statement in the form that libpq takes: texts, null for NULL. Few and short
// ones, as most are, lie in the object itself.
class PostgresParameters {
 public:
  PostgresParameters() : values_(&memory_) {}
  PostgresParameters(const PostgresParameters&) = delete;
  PostgresParameters& operator=(const PostgresParameters&) = delete;

  void reserve(std::size_t count) { values_.reserve(count); }
  void add(const sub0_value& value);
  int count() const { return static_cast<int>(values_.size()); }
  const char* const* data() const { return values_.data(); }

 private:
  void addText(std::string_view text);

  std::array<char, 128> first_;
  std::pmr::monotonic_buffer_resource memory_{first_.data(), first_.size()};
  std::pmr::vector<const char*> values_;
};

// Whether it is json or jsonb.
bool isJsonType(Oid type);

// Which types are arrays, and of what: the built-in ones, and those that the database has made
// (learn).
class PostgresTypes {
 public:
  PostgresTypes();
  // A row of kQuery.
  void learn(Oid array, Oid element) { element_of_[array] = element; }
  // The type of the elements, or 0 where `type` is no array.
  Oid elementOf(Oid type) const;

  // Arrays of enums and other types that do not come with the server, and domains of arrays; of
  // domains the type that these are of. What writes something else than a comma between elements is
  // text.
  static constexpr const char* kQuery =
      "WITH RECURSIVE base AS (SELECT oid, oid AS type FROM pg_catalog.pg_type WHERE typtype <> "
      "'d' "
      "UNION ALL SELECT d.oid, b.type FROM pg_catalog.pg_type d JOIN base b ON d.typbasetype = "
      "b.oid "
      "WHERE d.typtype = 'd') SELECT base.oid, e.type FROM base JOIN pg_catalog.pg_type a ON a.oid "
      "= "
      "base.type JOIN base e ON e.oid = a.typelem WHERE base.oid >= 16384 AND a.typcategory = 'A' "
      "AND a.typelem <> 0 AND a.typdelim = ','";

 private:
  std::unordered_map<Oid, Oid> element_of_;
};

// The text of a column of that type as a value, copied into the tree.
sub0_value fromPostgres(const PostgresTypes& types, Oid type, std::string_view text,
                        ResultTree& tree);

}  // namespace sub0::query
