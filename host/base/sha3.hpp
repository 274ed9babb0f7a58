// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sub0 {

/// SHA3-512 of a whole text (FIPS 202). Not for secrets: identifiers of kind CUID2 are made of it.
/// Here and not a library's, since those allocate for each digest, which the path of a message may
/// not. Any thread.
std::array<std::uint8_t, 64> sha3Digest(std::string_view bytes);

}  // namespace sub0
