// SPDX-License-Identifier: Apache-2.0
// What a server of PostgreSQL says: the first byte tells how its bytes are cut, which changes
// nothing; what is read of a message lies within it.
#include <algorithm>
#include <cstring>
#include <string>

#include "postgres/postgres_wire.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sub0::query {
namespace {

constexpr std::size_t kMost = 4096;

void judgeBody(const PostgresMessage& message) {
  PostgresColumns columns;
  if (columns.read(message.body)) {
    FUZZ_CHECK(columns.columns.size() * 19 <= message.body.size());
  }
  FUZZ_CHECK(parameterTypesOf(message.body).size() * 4 <= message.body.size());
  PostgresRow row(message.body);
  std::string_view value;
  std::size_t bytes = 0;
  while (row.next(value)) {
    FUZZ_CHECK(value.data() >= message.body.data() &&
               value.data() + value.size() <= message.body.data() + message.body.size());
    bytes += value.size() + 4;
  }
  FUZZ_CHECK(bytes <= message.body.size());
  const PostgresError error(message.body);
  FUZZ_CHECK(error.text().size() <= message.body.size());
}

// What there is, as a text.
std::string read(std::string_view bytes, std::size_t piece_bytes) {
  PostgresInput input(kMost);
  std::string all;
  for (;;) {
    PostgresMessage message{};
    const PostgresInput::State state = input.next(message);
    if (state == PostgresInput::State::kMessage) {
      judgeBody(message);
      all += message.type;
      all += message.body;
      continue;
    }
    if (state == PostgresInput::State::kTooLarge) {
      all += "too large";
      continue;
    }
    if (state == PostgresInput::State::kBroken) {
      return all + "broken";
    }
    if (bytes.empty()) {
      return all;
    }
    std::size_t room = 0;
    char* const at = input.room(room);
    FUZZ_CHECK(room > 0);
    const std::size_t size = std::min({room, piece_bytes, bytes.size()});
    std::memcpy(at, bytes.data(), size);
    input.add(size);
    bytes.remove_prefix(size);
  }
}

}  // namespace
}  // namespace sub0::query

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  FUZZ_CHECK(sub0::query::read(bytes, bytes.size()) ==
             sub0::query::read(bytes, std::size_t{1} + data[0]));
  return 0;
}
