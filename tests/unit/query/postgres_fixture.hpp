// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>
#include <sub0/health.h>
#include <sub0/sql.h>

#include <memory>

#include "tests/support/postgres_cluster.hpp"
#include "tests/unit/query/query_fixture.hpp"

namespace sub0::query {

using sub0::testing::PostgresCluster;

// Somebody else's session.
class OtherSession {
 public:
  explicit OtherSession(const std::string& url) : connection_(PQconnectdb(url.c_str())) {}
  ~OtherSession() { PQfinish(connection_); }
  OtherSession(const OtherSession&) = delete;
  OtherSession& operator=(const OtherSession&) = delete;
  void execute(const char* sql) {
    PGresult* result = PQexec(connection_, sql);
    EXPECT_LE(PQresultStatus(result), PGRES_TUPLES_OK) << PQerrorMessage(connection_);
    PQclear(result);
  }

 private:
  PGconn* connection_;
};

// The plugin on a PostgreSQL server that all tests of a program share; each has a schema of its
// own.
class PostgresTest : public QueryTest {
 protected:
  static PostgresCluster& cluster() {
    static PostgresCluster cluster;
    cluster.start();
    return cluster;
  }
  void SetUp() override {
    cluster().execute("DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public");
  }

  std::unique_ptr<LoopHost> makeHost(std::int64_t result_limit) override {
    return std::make_unique<LoopHost>(
        sub0_plugin_v0(), Tree{{"DATABASE_URL", cluster().url()},
                               {"SUB0_PROJECT_NAME", project_},
                               {"SUB0_RESULT_LIMIT", result_limit},
                               {"SUB0_SHARED_STATEMENT_TIMEOUT_MS", shared_timeout_ms_}});
  }
  bool isReady() {
    const auto& health = *static_cast<const sub0_health*>(host().extension(SUB0_HEALTH_EXTENSION));
    return health.ready(host().self()) == 1;
  }
  bool becomesReady() {
    return startedHost().turnUntil([&] { return isReady(); });
  }

  std::int64_t shared_timeout_ms_ = 50;
};

}  // namespace sub0::query
