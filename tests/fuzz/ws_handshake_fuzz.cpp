// SPDX-License-Identifier: Apache-2.0
// Opening handshakes: what is accepted has all that RFC 6455 section 4.2.1 demands, the 101
// holds the one right accept value and no byte that the client could place there but a subprotocol
// it offered.
#include <openssl/evp.h>

#include "net/http/request_parser.hpp"
#include "net/ws/handshake.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sub0::net::ws {
namespace {

const std::vector<std::string> kSchemes = {"x-wallet-token", "x-access-token", "Authorization"};

/// The value that RFC 6455 section 4.2.2 asks for, by OpenSSL alone.
std::string acceptByOpenssl(std::string key) {
  key += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  FUZZ_CHECK(EVP_Digest(key.data(), key.size(), digest, &size, EVP_sha1(), nullptr) == 1);
  unsigned char encoded[32];
  const int encoded_size = EVP_EncodeBlock(encoded, digest, static_cast<int>(size));
  return std::string(reinterpret_cast<const char*>(encoded),
                     static_cast<std::size_t>(encoded_size));
}

bool wasOffered(const http::Request& request, std::string_view name) {
  return request.headerHasToken("Sec-WebSocket-Protocol", name);
}

void judgeAccepted(const http::Request& request, const Handshake& handshake, bool force_uid) {
  FUZZ_CHECK(request.method == "GET" && request.minor_version == 1 && !request.host.empty());
  FUZZ_CHECK(request.body.empty());
  FUZZ_CHECK(request.headerHasToken("Connection", "upgrade"));
  FUZZ_CHECK(request.headerHasToken("Upgrade", "websocket"));
  FUZZ_CHECK(request.countHeaders("Sec-WebSocket-Key") == 1);
  FUZZ_CHECK(request.header("Sec-WebSocket-Version") == "13");
  const std::string key(*request.header("Sec-WebSocket-Key"));
  unsigned char decoded[18];  // 16 bytes and what the padding stands for
  FUZZ_CHECK(key.size() == 24 && key[21] != '=' && key.substr(22) == "==");
  FUZZ_CHECK(EVP_DecodeBlock(decoded, reinterpret_cast<const unsigned char*>(key.data()), 24) ==
             18);
  FUZZ_CHECK(handshake.accept == acceptByOpenssl(key));
  FUZZ_CHECK(fuzz::isUtf8(handshake.uid) && handshake.uid.size() <= 256);
  for (const char c : handshake.uid) FUZZ_CHECK(static_cast<std::uint8_t>(c) >= 0x20 && c != 0x7F);
  FUZZ_CHECK(!force_uid || !handshake.uid.empty());

  std::string out;
  writeSwitchingProtocols(out, handshake, "");
  std::string expected =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      handshake.accept + "\r\n";
  if (!handshake.protocol.empty()) {
    FUZZ_CHECK(wasOffered(request, handshake.protocol) && http::isToken(handshake.protocol));
    expected += "Sec-WebSocket-Protocol: " + std::string(handshake.protocol) + "\r\n";
  }
  fuzz::checkEqual(out, expected + "\r\n", "the 101");
  if (!handshake.token.empty()) FUZZ_CHECK(http::isToken(handshake.token));
}

}  // namespace
}  // namespace sub0::net::ws

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0::net;
  const sub0::fuzz::Input input(data, size);
  std::string bytes(input.bytes);
  if ((input.steer & 1) != 0) {  // the input is only what is added to a good handshake
    bytes =
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        bytes + "\r\n\r\n";
  }
  sub0::fuzz::Padded padded(bytes);
  std::span<char> left = padded.span();
  http::RequestParser parser;
  http::Request request;
  http::ParseFailure failure;
  if (parser.next(left, {}, request, failure) != http::ParseEvent::kRequest) return 0;
  ws::HandshakeSettings settings;
  settings.scheme_names = ws::kSchemes;
  settings.force_uid = (input.steer & 2) != 0;
  const ws::Handshake handshake = ws::checkHandshake(request, settings);
  if (handshake.accepted()) {
    ws::judgeAccepted(request, handshake, settings.force_uid);
    return 0;
  }
  FUZZ_CHECK(handshake.status == 400 || handshake.status == 405 || handshake.status == 426);
  FUZZ_CHECK(!handshake.reason.empty());
  FUZZ_CHECK(handshake.status != 426 ||
             handshake.extra_lines.find("Sec-WebSocket-Version: 13") != std::string_view::npos);
  return 0;
}
