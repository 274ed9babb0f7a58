// SPDX-License-Identifier: Apache-2.0
#pragma once

// The uids in raw JSON: a handler that accepts raw inputs gets broadcast_to as the client wrote it.
// Null, a text, a number, or an array of texts and numbers, from text that is known to be valid
// JSON; false for anything else. Numbers keep their digits. THREAD: any.

#include <sub0/plugin.hpp>

namespace sub0::broadcast {

bool parseUids(std::string_view json, sub0::Tree& uids);

}  // namespace sub0::broadcast
