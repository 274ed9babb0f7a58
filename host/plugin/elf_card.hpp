// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sub0::plugin {

/// What a plugin's file says of itself before anything of it runs.
struct Card {
  std::uint32_t abi_major = 0, abi_minor = 0;
  std::string id, version, glibc, libstdcxx;
};

struct CardReading {
  std::optional<Card> card;
  std::string problem;  // empty: `card` is there
};

/// Reads the ELF note `.note.sub0` (sub0/card.h) out of a file's bytes: a small ELF64 reader that
/// believes no offset. Refuses what is no ELF file, no shared object, of another architecture, or
/// has no card; the versions are judged by the caller.
CardReading readCard(std::string_view file_bytes);

/// The same of a file; reads at most 256 MiB.
CardReading readCardOfFile(const std::string& path);

}  // namespace sub0::plugin
