// SPDX-License-Identifier: Apache-2.0
// conformance_echo [PORT]: a WebSocket server on the host's own connections that sends every
// message back, for suites of other people. Says its address on stdout, ends with its standard
// input.
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "loop/loop.hpp"
#include "loop/real_io.hpp"
#include "net/server.hpp"
#include "tests/conformance/echo_session.hpp"

int main(int count, char** words) {
  using namespace sub0;
  const auto port = static_cast<std::uint16_t>(count > 1 ? std::atoi(words[1]) : 0);
  ::signal(SIGPIPE, SIG_IGN);
  net::Options options;
  options.allow_websocket = true;
  options.websocket_endpoint.clear();
  options.max_address_connections = options.max_address_pending = 0;
  loop::RealIo io;
  loop::Loop loop(0, io);
  conformance::NoCalls calls;
  net::Server server(options);
  const auto listening = server.listen("127.0.0.1", port);
  if (!listening) {
    std::fprintf(stderr, "%s\n", listening.error().message.c_str());
    return 1;
  }
  server.setLoops(1);
  server.addLoop(loop, calls, std::make_shared<conformance::NoResources>());
  server.services(0).make_session = &conformance::EchoSession::make;
  server.start();
  std::thread thread([&loop] { loop.run(); });
  std::printf("ws://127.0.0.1:%u/\n", unsigned{server.listener().port()});
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  loop.stop();
  thread.join();
  return 0;
}
