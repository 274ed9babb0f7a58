// SPDX-License-Identifier: Apache-2.0
// Clients that do nothing: bench_idle_clients PORT COUNT
// Opens COUNT WebSocket connections, prints {"open":COUNT}, holds them until its standard input
// ends, and prints how many of them the server has kept: {"kept":N}. Then it closes all. One
// process holds as many as its descriptors allow; for more, start several.
#include <cerrno>
#include <vector>

#include "tests/bench/load/client.hpp"

namespace {

/// Open, and with nothing to read but perhaps a ping.
bool isKept(int descriptor) {
  char byte = 0;
  const auto received = ::recv(descriptor, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  if (received < 0) return errno == EAGAIN;
  return received == 1 && static_cast<unsigned char>(byte) == 0x89;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: bench_idle_clients PORT COUNT\n", stderr);
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::stoul(argv[1]));
  std::vector<int> descriptors;
  for (std::size_t count = std::stoul(argv[2]); count > 0; --count) {
    descriptors.push_back(sub0::bench::openWebSocket(port));
  }
  std::printf("{\"open\":%zu}\n", descriptors.size());
  sub0::bench::awaitEndOfInput();
  std::size_t kept = 0;
  for (const int descriptor : descriptors) kept += isKept(descriptor) ? 1 : 0;
  std::printf("{\"kept\":%zu}\n", kept);
}
