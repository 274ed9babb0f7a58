// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dialect/resource_reader.hpp"

// S-63: an extracted claim that a token has not is looked up in the payload, but for `id`. Where
// the project makes the tokens itself, it is known which claims none of them has.
namespace sub0::dialect {

/// The `extract_claims` of `resource` that no token of its key has; none where no resource of the
/// project issues tokens of that key: they come from elsewhere.
std::vector<std::string> claimsOfNone(const Resource& resource,
                                      const std::vector<Resource>& resources);

/// Warns of bare words that name one. REQUIRES: the resource's names are collected.
void warnOfClaimsOfNone(const Resource& resource, const std::vector<Resource>& resources,
                        const ReadContext& context);

}  // namespace sub0::dialect
