// SPDX-License-Identifier: Apache-2.0
#include <Poco/Buffer.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/WebSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/Timespan.h>
#include <Poco/URI.h>

#include <iostream>
#include <sstream>

#include "app/commands.hpp"
#include "base/text.hpp"
#include "json/parser.hpp"
#include "json/writer.hpp"

namespace sub0::app {
namespace {

constexpr long kReplyTimeoutS = 30;

CommandDeclaration declareCall() {
  return {"call",
          "RESOURCE [PAYLOAD] [--ws] [--uid U] [--token T] [--watch]",
          "Calls a resource of a running host, over HTTP or WebSocket, and prints the reply. "
          "PAYLOAD is "
          "JSON; default {}. Exit code 1: the reply is a failure.",
          {{"url", "URL", "of the host; default http://127.0.0.1:8080", false},
           {"ws", "", "over WebSocket", false},
           {"uid", "U", "the caller's uid (WebSocket)", false},
           {"token", "T", "a token, see sub0-host token mint", false},
           {"scheme", "NAME",
            "header or subprotocol of the token; default x-access-token, over HTTP Authorization "
            "as well",
            false},
           {"action", "LABEL", "the action's label (WebSocket); default call", false},
           {"endpoint", "PATH", "WebSocket path; default ws", false},
           {"watch", "", "keeps the connection and prints all that comes (WebSocket)", false}}};
}

bool isFailure(const std::string& reply) {
  try {
    Poco::JSON::Parser parser;
    const auto object = parser.parse(reply).extract<Poco::JSON::Object::Ptr>();
    return object->has("success") && !object->getValue<bool>("success");
  } catch (const Poco::Exception&) {
    return true;
  }
}

/// The code of a failure; empty if the reply is none.
std::string codeOf(const std::string& reply) {
  try {
    Poco::JSON::Parser parser;
    const auto object = parser.parse(reply).extract<Poco::JSON::Object::Ptr>();
    const auto error = object->getObject("error");
    return error ? error->optValue<std::string>("code", "") : "";
  } catch (const Poco::Exception&) {
    return "";
  }
}

std::string schemeOf(const Arguments& arguments) {
  return arguments.value("scheme", "x-access-token");
}

void setToken(const Arguments& arguments, Poco::Net::HTTPRequest& request) {
  if (!arguments.has("token")) return;
  const std::string scheme = schemeOf(arguments);
  const bool is_bearer = text::equalsIgnoreCase(scheme, "authorization");
  request.set(scheme, (is_bearer ? "Bearer " : "") + arguments.value("token"));
  // Where the resource wants it is not known here.
  if (!arguments.has("scheme")) request.set("Authorization", "Bearer " + arguments.value("token"));
}

/// Over WebSocket a token has one place only.
void hintAtScheme(const Arguments& arguments, const std::string& reply) {
  if (!arguments.has("token") || arguments.has("scheme")) return;
  if (codeOf(reply) != "unauthorized") return;
  std::cerr << "sub0-host: this resource may want the token elsewhere: try --scheme Authorization "
               "(see provide_as in sub0-host routes)\n";
}

int callOverHttp(const Arguments& arguments, const Poco::URI& url, const std::string& resource,
                 const std::string& payload) {
  Poco::Net::HTTPClientSession session(url.getHost(), url.getPort());
  session.setTimeout(Poco::Timespan(kReplyTimeoutS, 0));
  std::string path;
  Poco::URI::encode(resource, "?#", path);
  Poco::Net::HTTPRequest request(Poco::Net::HTTPRequest::HTTP_POST, "/" + path,
                                 Poco::Net::HTTPMessage::HTTP_1_1);
  request.setContentType("application/json");
  request.setContentLength(static_cast<std::streamsize>(payload.size()));
  setToken(arguments, request);
  session.sendRequest(request) << payload;
  Poco::Net::HTTPResponse response;
  std::istream& body = session.receiveResponse(response);
  std::string reply;
  Poco::StreamCopier::copyToString(body, reply);
  std::cout << reply << '\n';
  return response.getStatus() < 400 && !isFailure(reply) ? kExitOk : kExitFailure;
}

/// One text message, or nullopt at the end of the connection. Fragments are put together; pings are
/// answered.
std::optional<std::string> receiveText(Poco::Net::WebSocket& socket) {
  std::string text;
  while (true) {
    Poco::Buffer<char> frame(0);
    int flags = 0;
    const int size = socket.receiveFrame(frame, flags);
    const int opcode = flags & Poco::Net::WebSocket::FRAME_OP_BITMASK;
    if (opcode == Poco::Net::WebSocket::FRAME_OP_CLOSE || (size == 0 && flags == 0)) {
      return std::nullopt;
    }
    if (opcode == Poco::Net::WebSocket::FRAME_OP_PING) {
      socket.sendFrame(frame.begin(), size,
                       static_cast<int>(Poco::Net::WebSocket::FRAME_FLAG_FIN) |
                           static_cast<int>(Poco::Net::WebSocket::FRAME_OP_PONG));
      continue;
    }
    if (opcode == Poco::Net::WebSocket::FRAME_OP_PONG) continue;
    text.append(frame.begin(), static_cast<std::size_t>(size));
    if ((flags & Poco::Net::WebSocket::FRAME_FLAG_FIN) != 0) return text;
  }
}

std::string envelopeOf(const Arguments& arguments, const std::string& resource,
                       const std::string& payload) {
  std::string envelope = "{\"resource\":";
  json::writeString(resource, envelope);
  envelope += ",\"action\":";
  json::writeString(arguments.value("action", "call"), envelope);
  return envelope + ",\"payload\":" + payload + "}";
}

int callOverWebSocket(const Arguments& arguments, const Poco::URI& url, const std::string& resource,
                      const std::string& payload) {
  Poco::Net::HTTPClientSession session(url.getHost(), url.getPort());
  session.setTimeout(Poco::Timespan(kReplyTimeoutS, 0));
  Poco::URI target("/" + arguments.value("endpoint", "ws"));
  if (arguments.has("uid")) target.addQueryParameter("uid", arguments.value("uid"));
  Poco::Net::HTTPRequest request(Poco::Net::HTTPRequest::HTTP_GET, target.toString(),
                                 Poco::Net::HTTPMessage::HTTP_1_1);
  if (arguments.has("token")) {
    request.set("Sec-WebSocket-Protocol", schemeOf(arguments) + ", " + arguments.value("token"));
  }
  Poco::Net::HTTPResponse response;
  Poco::Net::WebSocket socket(session, request, response);
  const bool is_watching = arguments.has("watch");
  socket.setReceiveTimeout(is_watching ? Poco::Timespan() : Poco::Timespan(kReplyTimeoutS, 0));
  bool has_failed = false;
  if (!resource.empty()) {
    const std::string message = envelopeOf(arguments, resource, payload);
    socket.sendFrame(message.data(), static_cast<int>(message.size()));
    const auto reply = receiveText(socket);
    if (!reply) {
      std::cerr << "sub0-host: the host closed the connection\n";
      return kExitFailure;
    }
    std::cout << *reply << std::endl;
    has_failed = isFailure(*reply);
    hintAtScheme(arguments, *reply);
  }
  while (is_watching) {
    const auto message = receiveText(socket);
    if (!message) return kExitOk;
    std::cout << *message << std::endl;
  }
  socket.shutdown();
  return has_failed ? kExitFailure : kExitOk;
}

/// What keeps `url` from being called; empty: nothing. A host speaks plain HTTP alone, and a token
/// that was meant to go encrypted must not go in the open.
std::string urlProblem(const std::string& url) {
  const auto end = url.find("://");
  if (end == std::string::npos) {
    return "--url " + url + " has no scheme: write --url http://" + url;
  }
  const std::string scheme = text::toLower(url.substr(0, end));
  if (scheme == "http") return {};
  if (scheme == "https" || scheme == "wss") {
    return "--url " + url +
           ": this command speaks no TLS, which is for the proxy in front; name the host itself, "
           "such as http://127.0.0.1:8080";
  }
  if (scheme == "ws") return "--url " + url + ": write http:// and --ws";
  return "--url " + url + ": \"" + scheme + "\" is no scheme of a host; write http://HOST:PORT";
}

}  // namespace

const CommandDeclaration kCallResource = declareCall();

int callResource(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kCallResource, words);
  if (exit_code) return *exit_code;
  const auto& positional = arguments.positional();
  const bool may_only_watch = arguments.has("watch");
  if (positional.size() > 2 || (positional.empty() && !may_only_watch)) {
    return usageError(kCallResource, "name a resource, then its payload (JSON, in quotes)");
  }
  const std::string resource = positional.empty() ? "" : positional[0];
  const std::string payload = positional.size() < 2 ? "{}" : positional[1];
  Arena arena;
  json::Parser parser;
  if (const auto parsed = parser.parseCopy(payload, arena); !parsed) {
    return usageError(kCallResource, "PAYLOAD is no JSON: " + parsed.error().message);
  }
  const std::string address = arguments.value("url", "http://127.0.0.1:8080");
  if (const std::string problem = urlProblem(address); !problem.empty()) {
    return usageError(kCallResource, problem);
  }
  try {
    const Poco::URI url(address);
    if (arguments.has("ws") || may_only_watch) {
      return callOverWebSocket(arguments, url, resource, payload);
    }
    return callOverHttp(arguments, url, resource, payload);
  } catch (const Poco::Net::WebSocketException& problem) {
    std::cerr << "sub0-host: the host refused the WebSocket connection: " << problem.displayText()
              << "\nIs it started with ALLOW_WEBSOCKET_CONNECTIONS=true?\n";
  } catch (const Poco::Exception& problem) {
    std::cerr << "sub0-host: " << problem.displayText() << "\nIs a host running at that --url?\n";
  }
  return kExitFailure;
}

}  // namespace sub0::app
