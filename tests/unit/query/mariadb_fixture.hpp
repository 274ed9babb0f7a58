// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/health.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/mariadb_server.hpp"
#include "tests/unit/query/query_fixture.hpp"

namespace sub0::query {

// The plugin on a MariaDB server that all tests of a program share; each has the database anew. Its
// character set is not the one that tables of ours have.
class MariadbTest : public QueryTest {
 protected:
  static sub0::testing::MariadbServer& server() {
    static sub0::testing::MariadbServer server;
    return server;
  }
  void SetUp() override {
    server().execute("DROP DATABASE IF EXISTS app; CREATE DATABASE app CHARACTER SET latin1", "");
  }
  void TearDown() override { host_.reset(); }
  // The look whether the server is there begins with the start.
  void afterStart(LoopHost& made) override {
    const auto* const health =
        static_cast<const sub0_health*>(made.extension(SUB0_HEALTH_EXTENSION));
    ASSERT_NE(health, nullptr);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (health->ready(made.self()) == 0 && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
  }

  std::unique_ptr<LoopHost> makeHost(std::int64_t result_limit) override {
    return std::make_unique<LoopHost>(sub0_plugin_v0(), Tree{{"DATABASE_URL", server().url()},
                                                             {"SUB0_PROJECT_NAME", project_},
                                                             {"SUB0_RESULT_LIMIT", result_limit}});
  }
};

}  // namespace sub0::query
