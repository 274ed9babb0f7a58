// SPDX-License-Identifier: Apache-2.0
#include "dialect/control_declarations.hpp"

#include <iterator>

namespace sub0::dialect {
namespace {

constexpr KeyDeclaration kRateLimitKeys[] = {
    {.name = "limit",
     .types = kWhole,
     .required = true,
     .rule = "S-94",
     .text = "calls in a window",
     .least = 1},
    {.name = "identifier",
     .required = true,
     .rule = "S-94",
     .text = "whose calls are counted together: an accessor, or a bare word; usually $HEADER.ip",
     .may_be_empty = false},
    {.name = "expires_after",
     .types = kWhole,
     .required = true,
     .rule = "S-94",
     .text = "seconds from the first call until the window ends",
     .least = 1,
     .most = kMostSeconds},
};
}  // namespace

constexpr ObjectDeclaration kCacheable{"cacheable", kOfCacheable, std::size(kOfCacheable)};
constexpr ObjectDeclaration kRateLimit{"rate_limit", kRateLimitKeys, std::size(kRateLimitKeys)};

}  // namespace sub0::dialect
