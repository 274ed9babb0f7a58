// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/plugin.h>

#include <string>
#include <string_view>

namespace sub0::query {

// 2^53: below it every whole number is a double of its own.
inline constexpr double kExactWhole = 9007199254740992.0;

// How values that come in look as text: JSON text of arrays and objects, and numbers in plain
// decimal, whole ones without point or exponent, since `'1e2'::int` is refused where 100 is meant.
// Pure, any thread. spec S-30
std::string plainDecimal(double number);
std::string plainDecimal(std::string_view json_number);

// Appends a value as JSON text.
void appendJson(std::string& out, const sub0_value& value);

// Whether a text, or a text anywhere inside, holds a NUL character, which no database stores as
// text. Q-60
bool holdsNul(const sub0_value& value);

}  // namespace sub0::query
