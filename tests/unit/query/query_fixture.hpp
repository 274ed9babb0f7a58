// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sub0/sql.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/loop_host.hpp"

extern "C" const sub0_plugin* sub0_plugin_v0(void);

namespace sub0::query {

using sub0::testing::LoopAction;
using sub0::testing::LoopEnd;
using sub0::testing::LoopHost;

// What came of a statement that the host executes by sub0.sql/1.
struct SqlEnd {
  std::int32_t code = -1;
  std::string json, message;
  std::atomic<bool> came{false};
};

inline void onSqlDone(void* user, std::int32_t code, const sub0_value* rows,
                      const sub0_text_view* message) {
  auto& end = *static_cast<SqlEnd*>(user);
  end.code = code;
  end.json = sub0::testing::toJson(*rows);
  end.message = std::string(stringView(*message));
  end.came = true;
}

// What the tests of the plugin have in common, whichever database it stands on.
class QueryTest : public ::testing::Test {
 protected:
  // Created, not yet started.
  virtual std::unique_ptr<LoopHost> makeHost(std::int64_t result_limit) = 0;
  virtual void afterStart(LoopHost&) {}

  LoopHost& host(std::int64_t result_limit = 16777216) {
    if (host_ == nullptr) {
      host_ = makeHost(result_limit);
      EXPECT_EQ(host_->create_code, SUB0_OK) << host_->allLogs();
    }
    return *host_;
  }
  LoopHost& startedHost() {
    LoopHost& made = host();
    if (!is_started_) {
      is_started_ = true;
      made.start();
      EXPECT_EQ(made.start_code, SUB0_OK) << made.allLogs();
      afterStart(made);
    }
    return made;
  }

  std::unique_ptr<LoopAction> prepare(const std::string& sql, std::size_t parameters = 0,
                                      const Tree& action = Tree::object()) {
    Tree list = Tree::array();
    for (std::size_t i = 0; i < parameters; ++i) {
      list.push(Literal("$PAYLOAD.p" + std::to_string(i)));
    }
    Tree config{{"query", sql}};
    config.set("parameters", list);
    auto made = host().prepare(config, action);
    EXPECT_EQ(made->errors, "") << sql;
    return made;
  }
  LoopEnd end(const std::string& sql, const std::vector<Tree>& values = {},
              std::uint32_t flags = 0) {
    startedHost();
    const auto action = prepare(sql, values.size());
    if (!action->isReady()) return {1, SUB0_INTERNAL, {}, {}, "not prepared: " + action->errors};
    return host().run(*action, values, flags);
  }
  // The result as JSON, or "code text".
  std::string query(const std::string& sql, const std::vector<Tree>& values = {}) {
    const LoopEnd done = end(sql, values);
    return done.code == SUB0_OK ? done.json : std::to_string(done.code) + " " + done.client;
  }

  // The next host() is another one.
  void endHost() {
    host_.reset();
    is_started_ = false;
  }

  std::unique_ptr<LoopHost> host_;
  bool is_started_ = false;
  std::string project_ = "ours";  // whose tables are made
};

}  // namespace sub0::query
