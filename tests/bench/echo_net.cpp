// SPDX-License-Identifier: Apache-2.0
// host/net alone, with a dispatcher that echoes: what the network side costs without calls and
// plugins. One loop. Prints its port; ends at SIGTERM.
#include <csignal>
#include <cstdio>
#include <memory>

#include "json/value.hpp"
#include "loop/loop.hpp"
#include "loop/real_io.hpp"
#include "net/server.hpp"

namespace {

class Echo final : public sub0::call::Dispatcher {
 public:
  void dispatch(const sub0::call::Request& request) override {
    const sub0::json::Value data = sub0::json::raw(request.payload_json);
    sub0::call::Reply reply;
    reply.action_json = request.action_json;
    reply.id_json = request.id_json;
    reply.data = &data;
    request.reply_port->deliver(request.sender, reply);
  }
  void abandon(std::uint64_t /*connection*/) override {}
};

class NoCatalogue final : public sub0::call::Catalogue {
 public:
  const std::vector<std::string>& tokenSchemes() const override { return names_; }
  const std::vector<std::string>& keptHeaders() const override { return names_; }

 private:
  std::vector<std::string> names_;
};

sub0::loop::Loop* g_loop = nullptr;
void onTerminate(int /*signal*/) { g_loop->stop(); }

}  // namespace

int main() {
  sub0::loop::RealIo io;
  sub0::loop::Loop loop(0, io);
  Echo echo;
  sub0::net::Options options;
  options.allow_websocket = true;
  sub0::net::Server server(options);
  const auto bound = server.listen("127.0.0.1", 0);
  if (!bound) {
    std::fprintf(stderr, "%s\n", bound.error().message.c_str());
    return 69;
  }
  server.setLoops(1);
  server.addLoop(loop, echo, std::make_shared<NoCatalogue>());
  server.start();
  g_loop = &loop;
  std::signal(SIGTERM, onTerminate);
  std::printf("port %u\n", static_cast<unsigned>(server.listener().port()));
  std::fflush(stdout);
  loop.run();
}
