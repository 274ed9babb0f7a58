// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/header_field.hpp"
#include "call/request.hpp"

namespace sub0::call {

/// The value of a header, in any case; the first if there are several.
std::optional<std::string_view> headerOf(std::span<const HeaderField> headers,
                                         std::string_view name);

/// The token that a request carries under the name of `provide_as` (S-72, S-73); empty: none.
std::string_view tokenOf(const Request& request, const std::string& provide_as);

}  // namespace sub0::call
