// SPDX-License-Identifier: Apache-2.0
// What people expect of "a Poco WebSocket server": the same echo on Poco::Net::HTTPServer and
// Poco::Net::WebSocket, a thread for each connection, Poco::JSON for the envelope. Prints its
// port; ends at SIGTERM.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/WebSocket.h>
#include <Poco/ThreadPool.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace {

constexpr int kThreads = 1200;  // the most connections at a time
constexpr int kMessageBytes = 65536;

std::string reply(const std::string& text) {
  const auto request = Poco::JSON::Parser().parse(text).extract<Poco::JSON::Object::Ptr>();
  Poco::JSON::Object answer(Poco::JSON_PRESERVE_KEY_ORDER);
  answer.set("uid", Poco::Dynamic::Var());
  answer.set("action", request->get("action"));
  answer.set("data", request->get("payload"));
  std::ostringstream out;
  answer.stringify(out);
  return out.str();
}

class Echo final : public Poco::Net::HTTPRequestHandler {
 public:
  void handleRequest(Poco::Net::HTTPServerRequest& request,
                     Poco::Net::HTTPServerResponse& response) override {
    try {
      Poco::Net::WebSocket socket(request, response);
      socket.setNoDelay(true);
      serve(socket);
    } catch (const Poco::Exception&) {
      // The peer went away, which is how a load ends.
    }
  }

 private:
  static void serve(Poco::Net::WebSocket& socket) {
    std::string buffer(kMessageBytes, '\0');
    while (true) {
      int flags = 0;
      const int size = socket.receiveFrame(buffer.data(), kMessageBytes, flags);
      const int opcode = flags & Poco::Net::WebSocket::FRAME_OP_BITMASK;
      if (size <= 0 && flags == 0) return;
      if (opcode == Poco::Net::WebSocket::FRAME_OP_CLOSE) {
        socket.shutdown();
        return;
      }
      const std::string answer = reply(buffer.substr(0, static_cast<std::size_t>(size)));
      socket.sendFrame(answer.data(), static_cast<int>(answer.size()));
    }
  }
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  Poco::Net::HTTPRequestHandler* createRequestHandler(
      const Poco::Net::HTTPServerRequest& /*request*/) override {
    return new Echo;
  }
};

}  // namespace

int main() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  Poco::Net::ServerSocket listener;
  listener.bind(Poco::Net::SocketAddress("127.0.0.1", 0));
  listener.listen(1024);
  Poco::ThreadPool threads(2, kThreads);
  auto* parameters = new Poco::Net::HTTPServerParams;
  parameters->setMaxThreads(kThreads);
  parameters->setMaxQueued(kThreads);
  Poco::Net::HTTPServer server(new Factory, threads, listener, parameters);
  server.start();
  std::printf("port %u\n", static_cast<unsigned>(listener.address().port()));
  std::fflush(stdout);
  int number = 0;
  sigwait(&ending, &number);
  std::_Exit(0);
}
