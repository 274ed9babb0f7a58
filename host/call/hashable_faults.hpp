// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "auth/password_hash.hpp"
#include "call/plan.hpp"

// What is wrong with the fields of a payload that are to be hashed or compared (S-95). Any thread.
namespace sub0::call {

/// The field as it is hashed or compared; null: there is none.
const json::Value* fieldOf(const json::Value& payload, const dialect::Hashable& hashable);

/// Adds what the client is to mend. `is_stored`: the field is compared with what others hashed as
/// they did it: BCRYPT looks at 72 bytes of whatever comes.
void addHashFault(const json::Value& field, const dialect::Hashable& hashable, bool is_stored,
                  std::vector<std::string>& faults);

/// Those of all actions of a plan.
void addHashFaults(const Plan& plan, const json::Value& payload, std::vector<std::string>& faults);

}  // namespace sub0::call
