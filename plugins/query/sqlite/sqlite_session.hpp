// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "engine.hpp"
#include "sqlite/sqlite_loop_reader.hpp"

namespace sub0::query {

// A connection of its own for sub0.sql/1, opened on first use. It may also do what statements of
// resources may not (PRAGMA, transactions of its own), and waits for locks for about 5 s: a
// thread stands behind it.
std::unique_ptr<SqlSession> makeSqliteSession(std::string path, std::size_t result_limit_bytes,
                                              WriteCount& writes);

}  // namespace sub0::query
