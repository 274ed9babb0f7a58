// SPDX-License-Identifier: Apache-2.0
#include "call/hashable_faults.hpp"

namespace sub0::call {

const json::Value* fieldOf(const json::Value& payload, const dialect::Hashable& hashable) {
  const json::Value* field = json::find(payload, hashable.property);
  return field == nullptr || json::isNull(*field) ? nullptr : field;
}

void addHashFault(const json::Value& field, const dialect::Hashable& hashable, bool is_stored,
                  std::vector<std::string>& faults) {
  if (!json::isText(field)) {
    faults.push_back(hashable.property + " must be a string");
    return;
  }
  const bool is_bcrypt = !is_stored && hashable.algorithm == dialect::HashAlgorithm::kBcrypt;
  const std::string_view fault = auth::faultOf(
      is_bcrypt ? auth::HashAlgorithm::kBcrypt : auth::HashAlgorithm::kArgon2, json::chars(field));
  if (!fault.empty()) faults.push_back(hashable.property + " " + std::string(fault));
}

void addHashFaults(const Plan& plan, const json::Value& payload, std::vector<std::string>& faults) {
  const auto add = [&](const dialect::Hashable& hashable, bool is_stored) {
    const json::Value* field = fieldOf(payload, hashable);
    if (field != nullptr) addHashFault(*field, hashable, is_stored, faults);
  };
  for (const PlanAction& action : plan.actions) {
    for (const auto& hashable : action.model->verify_hashables) add(hashable, true);
    for (const auto& hashable : action.model->hashables) add(hashable, false);
  }
}

}  // namespace sub0::call
