// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "json/envelope.hpp"

namespace sub0::json {

/// The usual request, validated and taken apart in one pass: printable ASCII without escapes, whole
/// numbers of up to 18 digits or short fractions, few levels, each known member once and of its
/// type, a resource. False: nothing is said about the message, Parser::parseEnvelope has to judge
/// it, and `envelope` is of no use. What is accepted here is accepted there, with the same members
/// (the envelope's fuzz target compares both with a third reader). REQUIRES: kPadding readable
/// bytes behind `padded_text`.
bool readPlainEnvelope(std::string_view padded_text, Envelope& envelope);

}  // namespace sub0::json
