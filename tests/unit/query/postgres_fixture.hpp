// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sub0/health.h>
#include <sub0/sql.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/loop_host.hpp"
#include "tests/support/postgres_cluster.hpp"

extern "C" const sub0_plugin* sub0_plugin_v0(void);

namespace sub0::query {

using sub0::testing::LoopAction;
using sub0::testing::LoopEnd;
using sub0::testing::LoopHost;
using sub0::testing::PostgresCluster;

// The plugin on a PostgreSQL server that all tests of a program share; each has a schema of its
// own.
class PostgresTest : public ::testing::Test {
 protected:
  static PostgresCluster& cluster() {
    static PostgresCluster cluster;
    cluster.start();
    return cluster;
  }
  void SetUp() override {
    cluster().execute("DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public");
  }

  LoopHost& host(std::int64_t result_limit = 16777216) {
    if (host_ == nullptr) {
      host_ = std::make_unique<LoopHost>(
          sub0_plugin_v0(),
          Tree{{"DATABASE_URL", cluster().url()}, {"SUB0_RESULT_LIMIT", result_limit}});
      EXPECT_EQ(host_->create_code, SUB0_OK) << host_->allLogs();
    }
    return *host_;
  }
  LoopHost& startedHost() {
    if (!is_started_) {
      is_started_ = true;
      host().start();
    }
    return host();
  }
  bool isReady() {
    const auto& health = *static_cast<const sub0_health*>(host().extension(SUB0_HEALTH_EXTENSION));
    return health.ready(host().self()) == 1;
  }
  bool becomesReady() {
    return startedHost().turnUntil([&] { return isReady(); });
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
    return host().run(*action, values, flags);
  }
  // The result as JSON, or "code text".
  std::string query(const std::string& sql, const std::vector<Tree>& values = {}) {
    const LoopEnd done = end(sql, values);
    return done.code == SUB0_OK ? done.json
                                : std::to_string(done.code) + " " + done.client + " | " + done.log;
  }

  std::unique_ptr<LoopHost> host_;
  bool is_started_ = false;
};

}  // namespace sub0::query
