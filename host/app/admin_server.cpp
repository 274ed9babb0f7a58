// SPDX-License-Identifier: Apache-2.0
#include "app/admin_server.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/ThreadPool.h>

#include <exception>
#include <utility>

#include "app/metrics_text.hpp"
#include "net/http/reply_body.hpp"

namespace sub0::app {
namespace {

using Poco::Net::HTTPResponse;

constexpr int kServerThreads = 16;  // silent peers hold one each until they are timed out
constexpr int kMaxQueued = 64;
constexpr int kAdminTimeoutS = 2;

struct Answer {
  HTTPResponse::HTTPStatus status = HTTPResponse::HTTP_OK;
  std::string type = "application/json";
  std::string body;
};

Answer success(std::string_view message) {
  Answer answer;
  net::http::appendSuccess(answer.body, message, nullptr);
  return answer;
}

Answer failure(Code code, std::string_view message) {
  Answer answer;
  answer.status = static_cast<HTTPResponse::HTTPStatus>(codeInfo(code).status);
  net::http::appendFailure(answer.body, code, message, {});
  return answer;
}

Answer answerTo(const Poco::Net::HTTPServerRequest& request, const AdminServer::Answers& answers) {
  const std::string& target = request.getURI();
  const std::string path = target.substr(0, target.find('?'));
  const bool is_health = path == "/healthz";
  if (!is_health && path != "/readyz" && path != "/metrics") {
    return failure(Code::kNotFound, "here are /healthz, /readyz and /metrics");
  }
  if (request.getMethod() != "GET" && request.getMethod() != "HEAD") {
    return failure(Code::kMethodNotAllowed, "allowed: GET, HEAD");
  }
  if (path == "/metrics") {
    return {HTTPResponse::HTTP_OK, std::string(MetricsText::kContentType), answers.metrics()};
  }
  const std::string reason = is_health ? answers.fault() : answers.unready();
  if (!reason.empty()) return failure(Code::kUnavailable, reason);
  return success(is_health ? "alive" : "ready");
}

class Handler final : public Poco::Net::HTTPRequestHandler {
 public:
  explicit Handler(const AdminServer::Answers& answers) : answers_(answers) {}

  /// A peer that goes before its answer is no matter of ours.
  void handleRequest(Poco::Net::HTTPServerRequest& request,
                     Poco::Net::HTTPServerResponse& response) override {
    try {
      const Answer answer = answerTo(request, answers_);
      response.setStatusAndReason(answer.status);
      if (answer.status == HTTPResponse::HTTP_METHOD_NOT_ALLOWED)
        response.set("Allow", "GET, HEAD");
      response.setContentType(answer.type);
      response.sendBuffer(answer.body.data(), answer.body.size());
    } catch (const std::exception&) {
      response.setKeepAlive(false);
    }
  }

 private:
  const AdminServer::Answers& answers_;
};

class HandlerFactory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  explicit HandlerFactory(AdminServer::Answers answers) : answers_(std::move(answers)) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(
      const Poco::Net::HTTPServerRequest& /*request*/) override {
    return new Handler(answers_);
  }

 private:
  const AdminServer::Answers answers_;
};

Poco::Net::ServerSocket bindTo(const Poco::Net::SocketAddress& address) {
  Poco::Net::ServerSocket socket;
  if (address.family() == Poco::Net::SocketAddress::IPv6) {
    socket.bind6(address, true, false, true);
  } else {
    socket.bind(address, true, false);
  }
  socket.listen(kMaxQueued);
  return socket;
}

Poco::Net::HTTPServerParams* makeParams() {
  auto* params = new Poco::Net::HTTPServerParams;
  params->setMaxThreads(kServerThreads);
  params->setMaxQueued(kMaxQueued);
  params->setTimeout(Poco::Timespan(kAdminTimeoutS, 0));
  params->setKeepAlive(false);
  return params;
}

}  // namespace

struct AdminServer::Running {
  Running(const Poco::Net::SocketAddress& address, Answers answers)
      : threads("admin", 1, kServerThreads),
        socket(bindTo(address)),
        server(new HandlerFactory(std::move(answers)), threads, socket, makeParams()) {
    server.start();
  }
  ~Running() { server.stopAll(true); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Poco::ThreadPool threads;
  Poco::Net::ServerSocket socket;
  Poco::Net::HTTPServer server;
};

AdminServer::AdminServer() = default;
AdminServer::~AdminServer() = default;

Result<Done> AdminServer::start(const std::string& host, std::uint16_t port, Answers answers) {
  try {
    running_ = std::make_unique<Running>(Poco::Net::SocketAddress(host, port), std::move(answers));
    return Done{};
  } catch (const Poco::Exception& exception) {
    return makeError(Code::kUnavailable, "cannot listen on " + host + " port " +
                                             std::to_string(port) + ": " + exception.displayText() +
                                             ". Choose another address by SUB0_ADMIN_HOST or "
                                             "SUB0_ADMIN_PORT");
  }
}

void AdminServer::stop() { running_.reset(); }

std::string AdminServer::url() const { return "http://" + running_->socket.address().toString(); }

std::uint16_t AdminServer::port() const { return running_->socket.address().port(); }

}  // namespace sub0::app
