// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/plugin.hpp>

#include "engine.hpp"

namespace sub0::query {

// Compiles `sql_query` of one action: checks the statement, declares its parameters as inputs and
// its facts, adds RETURNING where the action or its resource names what it returns, and translates
// it for the engine. Reports every error it finds; null then. [control] spec S-30, S-35, S-40, S-41
StatementPointer compileAction(Preparation& preparation, Engine& engine);

}  // namespace sub0::query
