// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>
#include <sub0/plugin.h>

#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sub0::query {

struct PostgresRequest;

// JSON arrays for parameters that are arrays to the server: {1,NULL,"a \"b\""}. Pure, any thread.
// spec S-30

// Whether a value is a JSON array.
bool isJsonArray(const sub0_value& value);

// The JSON text of an array as PostgreSQL's array: null is NULL, arrays inside are further
// dimensions, objects their JSON text. Of an array of json or jsonb (`of_json`) every element is
// JSON text. None where PostgreSQL has no such array: more than 6 dimensions, a NUL character, half
// a surrogate pair.
std::optional<std::string> arrayLiteral(std::string_view json, bool of_json);

// Of a request with JSON arrays among its parameters.
struct PostgresArrays {
  std::vector<std::size_t> given;  // which they are, by the statement's numbers, from 0
  std::vector<Oid> types;          // what the server said that the form's parameters are
  std::vector<Oid> elements;       // of the form's parameters, 0 where it is no array
};

// The values of a request in the order of its form, as libpq takes them. Lives until they are sent,
// and no longer than the request.
class PostgresBinding {
 public:
  explicit PostgresBinding(const PostgresRequest& request);
  const char* const* values() const { return values_; }
  int count() const { return count_; }

 private:
  const char* const* values_;  // of the request where they can stay as they are
  int count_;
  std::vector<const char*> own_;
  std::list<std::string> literals_;
};

}  // namespace sub0::query
