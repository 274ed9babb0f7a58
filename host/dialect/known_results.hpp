// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect/resource_reader.hpp"

// What can be said of results without running anything: an action of mode VALUE whose template is
// an object has its members, BROADCAST has `recipients`; of all other actions nothing is known.
// Names that such a result cannot have are warnings. For ProjectLoader, after linkResource().
namespace sub0::dialect {

/// Warns of `returnables` and `extract` paths that read what is not there (S-23, S-87).
void checkKnownResults(const Resource& resource, const ReadContext& context);

}  // namespace sub0::dialect
