// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/schema.h>

#include <mutex>
#include <thread>

#include "engine.hpp"

namespace sub0::query {

// sub0.schema/1: one migration at a time, on a thread and a session of its own, which end with it.
// THREAD: migrate: any; the callback comes on that thread. stop waits for the migration under way.
class SchemaService {
 public:
  explicit SchemaService(Engine& engine) : engine_(engine) {}
  ~SchemaService() { stop(); }
  SchemaService(const SchemaService&) = delete;
  SchemaService& operator=(const SchemaService&) = delete;

  std::int32_t migrate(const sub0_value& models, std::uint32_t flags, sub0_schema_done done,
                       void* user);
  void stop();

 private:
  Engine& engine_;
  std::mutex mutex_;
  bool is_running_ = false;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace sub0::query
