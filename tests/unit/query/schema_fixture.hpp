// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sub0/schema.h>

#include <future>
#include <string>
#include <vector>

#include "tests/unit/query/query_fixture.hpp"

namespace sub0::query {

// Models as the host sends them by sub0.schema/1, and what came of them.
struct End {
  std::int32_t code = SUB0_OK;
  std::string message;
  std::string steps;  // "kind table: text" lines
};

inline void onDone(void* user, std::int32_t code, const sub0_value* steps,
                   const sub0_text_view* message) {
  End end;
  end.code = code;
  end.message = stringView(*message);
  for (const Value step : Value(steps).items()) {
    end.steps += step.find("kind").toText() + " " + step.find("table").toText() + ": " +
                 step.find("text").toText() + "\n";
  }
  static_cast<std::promise<End>*>(user)->set_value(std::move(end));
}

inline End migrateOn(LoopHost& host, const Tree& models, std::uint32_t flags) {
  const auto& schema = *static_cast<const sub0_schema*>(host.extension(SUB0_SCHEMA_EXTENSION));
  std::promise<End> promise;
  const std::int32_t status = schema.migrate(host.self(), &models.raw(), flags, &onDone, &promise);
  return status == SUB0_OK ? promise.get_future().get() : End{status, "refused", ""};
}

inline Tree field(const char* name, const char* type, const char* flag = "",
                  bool optional = false) {
  Tree tree{{"name", name}, {"type", type}, {"optional", optional}};
  if (*flag != '\0') {
    tree.set(flag, Literal(true));
  }
  return tree;
}

inline Tree key() { return field("id", "Number", "primary_key"); }

inline Tree referring(Tree column, const char* to) {
  column.set("foreign_key", {{"model", to}, {"key", "id"}});
  return column;
}

inline Tree model(const char* name, const std::vector<Tree>& fields, bool is_used = true) {
  Tree list = Tree::array();
  for (const Tree& one : fields) {
    list.push(one);
  }
  Tree tree{{"model", name}, {"table", name}, {"is_used", is_used}};
  tree.set("fields", list);
  return tree;
}

inline Tree models(const std::vector<Tree>& list) {
  Tree tree = Tree::array();
  for (const Tree& one : list) {
    tree.push(one);
  }
  return tree;
}

template <typename Base>
class Schema : public Base {
 protected:
  End migrate(const std::vector<Tree>& list, std::uint32_t flags = 0) {
    return migrateOn(this->startedHost(), models(list), flags);
  }
  // And asserts that a second time does nothing.
  End make(const std::vector<Tree>& list, std::uint32_t flags = 0) {
    End end = migrate(list, flags);
    EXPECT_EQ(end.code, SUB0_OK) << end.message;
    EXPECT_EQ(migrate(list).steps, "");
    return end;
  }
  void run(const std::string& sql) {
    const LoopEnd done = this->end(sql);
    EXPECT_EQ(done.code, SUB0_OK) << sql << " " << done.log;
  }
};

}  // namespace sub0::query
