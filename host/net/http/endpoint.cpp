// SPDX-License-Identifier: Apache-2.0
#include "net/http/endpoint.hpp"

#include <algorithm>
#include <utility>

#include "net/http/forwarded.hpp"
#include "net/http/query_string.hpp"
#include "net/http/reply_body.hpp"
#include "net/ws/handshake.hpp"
#include "net/ws/session.hpp"

namespace sub0::net::http {
namespace {

constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

/// of two origins, which no browser sends, the second may be of another site.
bool mayOpenSocket(const CorsPolicy& cors, const Request& request) {
  return cors.allowsEveryOrigin() ||
         (request.countHeaders("Origin") < 2 && cors.allows(request.header("Origin")));
}

}  // namespace

Endpoint::Endpoint(LoopServices& services) : services_(services) {
  const Options& options = services.options;
  websocket_path_ = "/" + options.websocket_endpoint;
  for (std::string& method : methodsOf(options.allowed_methods)) {
    // HEAD comes with GET and only with it.
    if (method != "HEAD") methods_.push_back(std::move(method));
  }
  if (!isMethodAllowed("OPTIONS")) methods_.emplace_back("OPTIONS");
  for (const std::string& method : methods_) {
    if (!allow_.empty()) allow_ += ", ";
    allow_ += method == "GET" ? "GET, HEAD" : method;
  }
  if (options.cors.allowsEveryOrigin()) options.cors.appendHeaders(cors_lines_, std::nullopt);
}

std::unique_ptr<Exchange> Endpoint::open(Connection& connection) {
  return std::make_unique<Exchange>(connection, *this);
}

std::string_view Endpoint::corsLines(const std::string* origin) {
  const CorsPolicy& cors = services_.options.cors;
  if (!cors.allowsEveryOrigin()) {
    cors_lines_.clear();
    cors.appendHeaders(cors_lines_,
                       origin ? std::optional<std::string_view>(*origin) : std::nullopt);
  }
  return cors_lines_;
}

bool Endpoint::isMethodAllowed(std::string_view method) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  return std::find(methods_.begin(), methods_.end(), wanted) != methods_.end();
}

void Endpoint::handle(Exchange& exchange, const Request& request) {
  if (request.method == "OPTIONS") return answerOptions(exchange, request);
  if (request.path == websocket_path_) return upgrade(exchange, request);
  if (services_.readiness.is_served_here && answerOperator(exchange, request)) return;
  if (!isMethodAllowed(request.method)) {
    return exchange.respondFailure(Code::kMethodNotAllowed,
                                   "allowed by ALLOWED_HTTP_METHODS: " + allow_, {.allow = allow_});
  }
  if (request.path.size() < 2) {
    return exchange.respondFailure(Code::kNotFound, "no resource is named");
  }
  if (!services_.readiness.is_ready()) return exchange.respondFailure(Code::kUnavailable, {});
  call(exchange, request);
}

void Endpoint::answerOptions(Exchange& exchange, const Request& request) {
  std::string lines;
  services_.options.cors.appendPreflightHeaders(
      lines, request.header("Origin"), request.header("Access-Control-Request-Headers"), allow_);
  // respond() adds the lines of every reply itself.
  const auto origin = request.header("Origin");
  const std::string origin_text(origin.value_or(""));
  const std::string common(corsLines(origin ? &origin_text : nullptr));
  if (lines.compare(0, common.size(), common) == 0) lines.erase(0, common.size());
  ResponseHead head;
  head.status = 204;
  head.allow = allow_;
  head.extra_lines = lines;
  exchange.respond(head, {});
}

bool Endpoint::answerOperator(Exchange& exchange, const Request& request) {
  const bool is_health = request.path == "/healthz";
  const bool is_readiness = request.path == "/readyz";
  if (!is_health && !is_readiness && request.path != "/metrics") return false;
  if (!request.isGet() && !request.isHead()) {
    exchange.respondFailure(Code::kMethodNotAllowed, "allowed: GET, HEAD", {.allow = "GET, HEAD"});
  } else if (is_readiness) {
    answerReadiness(exchange);
  } else if (!is_health) {
    answerMetrics(exchange, request);
  } else if (const std::string fault = services_.readiness.fault(); !fault.empty()) {
    exchange.respondFailure(Code::kUnavailable, fault);
  } else {
    std::string body;
    appendSuccess(body, "alive", nullptr);
    exchange.respond({}, body);
  }
  return true;
}

/// They tell how busy a server is and what its resources are called: nothing for the world.
void Endpoint::answerMetrics(Exchange& exchange, const Request& request) {
  if (!isOfThisMachine(exchange.connection().peerAddress(), request)) {
    return exchange.respondFailure(
        Code::kNotFound,
        "metrics are shown to this machine alone; SUB0_ADMIN_PORT serves them to others");
  }
  if (!services_.readiness.metrics) return exchange.respondFailure(Code::kNotFound, {});
  exchange.respond({.content_type = kMetricsType}, services_.readiness.metrics());
}

void Endpoint::answerReadiness(Exchange& exchange) {
  const std::string reason =
      services_.is_draining ? "the host is shutting down" : services_.readiness.reason();
  if (!reason.empty() || !services_.readiness.is_ready()) {
    return exchange.respondFailure(Code::kUnavailable, reason);
  }
  std::string body;
  appendSuccess(body, "ready", nullptr);
  exchange.respond({}, body);
}

void Endpoint::upgrade(Exchange& exchange, const Request& request) {
  if (!services_.options.allow_websocket) {
    return exchange.respondFailure(
        Code::kNotFound,
        "WebSocket connections are off: set ALLOW_WEBSOCKET_CONNECTIONS=true to allow them");
  }
  if (services_.is_draining) {
    return exchange.respondFailure(Code::kUnavailable, "the service is stopping", {.close = true});
  }
  const call::Catalogue& catalogue = *services_.catalogue;
  const bool asks_token = catalogue.takesUidFromToken();
  ws::Handshake handshake =
      ws::checkHandshake(request, {.scheme_names = catalogue.tokenSchemes(),
                                   .force_uid = services_.options.force_uid && !asks_token});
  if (!handshake.accepted()) {
    const Code code = handshake.status == 405 ? Code::kMethodNotAllowed : Code::kBadRequest;
    ResponseHead head;
    head.status = handshake.status;
    head.extra_lines = handshake.extra_lines;
    head.close = true;
    return exchange.respondFailure(code, handshake.reason, head);
  }
  const auto origin = request.header("Origin");
  if (!mayOpenSocket(services_.options.cors, request)) {
    services_.connections.refused(Refusal::kOrigin, exchange.connection());
    return exchange.respondFailure(Code::kForbidden, "this Origin is not among ALLOWED_ORIGINS",
                                   {.close = true});
  }
  Connection& connection = exchange.connection();
  if (services_.options.trusted_proxies) {
    connection.setPeerAddress(services_.options.trusted_proxies->clientAddress(
        Poco::Net::IPAddress(std::string(connection.peerAddress())), request));
  }
  if (asks_token && !identify(exchange, request, handshake)) return;
  if (!countUpgrade(connection)) {
    services_.connections.refused(Refusal::kAddressConnections, connection);
    return exchange.respondFailure(Code::kRateLimited, "too many connections from this address",
                                   {.retry_after_s = 1, .close = true});
  }
  connection.clearDeadline();
  auto session = services_.make_session(connection, services_, handshake, request);
  if (!session) {
    services_.connections.refused(Refusal::kUidTaken, connection);
    return exchange.respondFailure(Code::kLimitExceeded, "this uid is connected already",
                                   {.status = 409, .close = true});
  }
  const std::string origin_text(origin.value_or(""));
  services_.counters.traffic.countResponse(101);
  ws::writeSwitchingProtocols(connection.output().tail(), handshake,
                              corsLines(origin ? &origin_text : nullptr));
  connection.become(std::move(session));
}

/// S-117: the uid is the token's; false: the handshake is refused.
bool Endpoint::identify(Exchange& exchange, const Request& request, ws::Handshake& handshake) {
  collectHeaders(request);
  call::Request caller;
  caller.headers = services_.header_fields;
  caller.token_scheme = handshake.protocol;
  caller.token = handshake.token;
  caller.uid = handshake.uid;
  auto uid = services_.catalogue->uidOf(caller, services_.loop.io().wallMs() / 1000);
  if (!uid) {
    refuseToken(exchange, uid.error());
    return false;
  }
  if (uid->empty() && services_.options.force_uid) {
    exchange.respondFailure(Code::kBadRequest,
                            "a uid is required, and it comes from a token: send one",
                            {.close = true});
    return false;
  }
  handshake.uid = std::move(*uid);
  return true;
}

/// an address that has sent many bad tokens is told to wait.
void Endpoint::refuseToken(Exchange& exchange, const Error& error) {
  Connection& connection = exchange.connection();
  Guard& guard = services_.connections.guard();
  if (codeInfo(error.code).status == 401) {
    const auto verdict =
        guard.bad_tokens.note(addressKey(connection.peerAddress()), services_.loop.nowNs());
    if (verdict.delay_ms > 0) {
      services_.connections.refused(Refusal::kBadTokens, connection);
      return exchange.respondFailure(
          Code::kRateLimited, "too many bad tokens from this address",
          {.retry_after_s = static_cast<int>((verdict.delay_ms + 999) / 1000), .close = true});
    }
  }
  exchange.respondFailure(error.code, error.clientMessage(), {.close = true});
}

void Endpoint::collectHeaders(const Request& request) {
  services_.header_fields.clear();
  for (const Header& header : request.headers) {
    services_.header_fields.push_back({header.name, header.value});
  }
}

/// Behind a trusted proxy a socket is counted for its client; false: that has too many.
bool Endpoint::countUpgrade(Connection& connection) {
  if (!services_.options.trusted_proxies || connection.ticket().key != 0) return true;
  Guard& guard = services_.connections.guard();
  return guard.admissions.countFor(guard.countedKey(connection.peerAddress()), connection.ticket());
}

void Endpoint::call(Exchange& exchange, const Request& request) {
  auto parameters = parseQuery(request.query);
  if (!parameters) {
    return exchange.respondFailure(Code::kBadRequest, "the query string is not well-formed");
  }
  services_.query_fields.clear();
  for (const auto& [name, value] : *parameters) services_.query_fields.push_back({name, value});
  collectHeaders(request);
  Connection& connection = exchange.connection();
  std::string client_address;
  std::string_view peer_address = connection.peerAddress();
  if (services_.options.trusted_proxies) {
    client_address = services_.options.trusted_proxies->clientAddress(
        Poco::Net::IPAddress(std::string(peer_address)), request);
    peer_address = client_address;
    exchange.setClientAddress(client_address);
  }
  call::Request call_request;
  call_request.sender = {services_.loop.index(), connection.id(), exchange.beginCall(), false};
  call_request.reply_port = &services_.replies;
  call_request.resource = std::string_view(request.path).substr(1);
  call_request.method = request.isHead() ? std::string_view("GET") : request.method;
  call_request.content_type = request.header("Content-Type").value_or(std::string_view());
  call_request.payload_json = {request.body.data(), request.body.size()};
  call_request.query = services_.query_fields;
  call_request.headers = services_.header_fields;
  call_request.peer_address = peer_address;
  call_request.connection_number = connection.number();
  call_request.verified_tokens = &exchange.verifiedTokens();
  services_.dispatcher.dispatch(call_request);
  exchange.endDispatch();
}

}  // namespace sub0::net::http
