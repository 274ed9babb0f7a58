// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/schema.h>

#include <memory>
#include <mutex>
#include <thread>

#include "engine.hpp"
#include "schema/migration.hpp"

namespace sub0::query {

// sub0.schema/1: one migration at a time, on a thread and a session of its own, which end with it.
// THREAD: migrate: any; the callback comes on that thread. stop cancels the migration under
// way, which may wait for somebody's lock, and waits for its end.
class SchemaService {
 public:
  // `project`: its name, or its folder.
  SchemaService(Engine& engine, std::string_view project)
      : engine_(engine), project_(projectMark(project)) {}
  ~SchemaService() { stop(); }
  SchemaService(const SchemaService&) = delete;
  SchemaService& operator=(const SchemaService&) = delete;

  std::int32_t migrate(const sub0_value& models, std::uint32_t flags, sub0_schema_done done,
                       void* user);
  void stop();

 private:
  void work(const sub0_value& models, std::uint32_t flags, MigrationEnd& end);
  // Of the migration that begins now; cancelled at once where stop() came before.
  SqlSession& keep(std::unique_ptr<SqlSession> session);

  Engine& engine_;
  const std::string project_;
  std::mutex mutex_;
  bool is_running_ = false;
  bool is_stopping_ = false;
  std::unique_ptr<SqlSession> session_;
  std::thread thread_;
};

}  // namespace sub0::query
