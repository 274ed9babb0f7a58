// SPDX-License-Identifier: Apache-2.0
// The floor: a bare epoll server that speaks the same bytes. It accepts an upgrade, unmasks, and
// answers each message with the reply that sub0 gives, cut from fixed places; a call of
// `notify-all` also sends one ready frame to every connection; a close is answered and TCP closed.
// No parsing, no checks, no limits. Prints its port; ends at SIGTERM.
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/bench/socket_calls.hpp"

namespace {

using sub0::bench::require;

constexpr std::string_view kRequestHead = R"({"resource":"echo","action":"a","payload":)";
constexpr std::string_view kReplyHead = R"({"uid":null,"action":"a","data":)";
constexpr std::string_view kBroadcastHead = R"({"resource":"notify-all",)";
constexpr std::string_view kBroadcastRequestHead =
    R"({"resource":"notify-all","action":"a","payload":)";
constexpr std::string_view kMessageHead = R"({"action":"wallet_balance_update","data":)";
constexpr std::size_t kReadBytes = 65536;

struct Connection {
  int descriptor = -1;
  bool is_upgraded = false;
  bool is_closing = false;
  std::string partial;
  std::string out;
};

std::string acceptOf(std::string_view request) {
  const auto name = request.find("Sec-WebSocket-Key: ");
  std::string key(request.substr(name + 19, 24));
  key += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  unsigned char text[64];
  EVP_EncodeBlock(text, digest, sizeof digest);
  return reinterpret_cast<const char*>(text);
}

/// Appends a text frame of two parts.
void appendFrame(std::string& out, std::string_view head, std::string_view rest) {
  const std::size_t size = head.size() + rest.size();
  out.push_back(static_cast<char>(0x81));
  if (size < 126) {
    out.push_back(static_cast<char>(size));
  } else {
    out.push_back(126);
    out.push_back(static_cast<char>(size >> 8));
    out.push_back(static_cast<char>(size));
  }
  out.append(head).append(rest);
}

std::unordered_set<Connection*> g_upgraded;

/// `rest`: the request's payload and the closing brace.
void sendToAll(std::string_view rest) {
  std::string frame;
  appendFrame(frame, kMessageHead, rest);
  for (const Connection* connection : g_upgraded) {
    sub0::bench::sendAll(connection->descriptor, frame);
  }
}

void answer(Connection& connection, unsigned char opcode, std::string_view payload) {
  if (opcode == 8) {
    connection.is_closing = true;
    connection.out.append("\x88\x02", 2).append(payload.substr(0, 2));
  } else if (payload.starts_with(kBroadcastHead)) {
    payload.remove_prefix(kBroadcastRequestHead.size());
    appendFrame(connection.out, kReplyHead, payload);
    sendToAll(payload);
  } else {
    appendFrame(connection.out, kReplyHead, payload.substr(kRequestHead.size()));
  }
}

void upgrade(Connection& connection, std::string_view request) {
  connection.is_upgraded = true;
  g_upgraded.insert(&connection);
  connection.out +=
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      acceptOf(request) + "\r\n\r\n";
}

/// Handles the whole frames of `bytes`; returns how many bytes they took.
std::size_t handleFrames(Connection& connection, char* bytes, std::size_t size) {
  std::size_t used = 0;
  while (size - used >= 6) {
    auto* frame = reinterpret_cast<unsigned char*>(bytes + used);
    std::size_t length = frame[1] & 0x7F;
    std::size_t head = 6;
    if (length == 126) {
      head = 8;
      if (size - used < head) break;
      length = static_cast<std::size_t>(frame[2]) << 8 | frame[3];
    }
    if (size - used < head + length) break;
    std::uint32_t key = 0;
    std::memcpy(&key, frame + head - 4, 4);
    const std::uint64_t wide = std::uint64_t{key} << 32 | key;
    unsigned char* payload = frame + head;
    std::size_t i = 0;
    for (; i + 8 <= length; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, payload + i, 8);
      word ^= wide;
      std::memcpy(payload + i, &word, 8);
    }
    for (; i < length; ++i) payload[i] ^= frame[head - 4 + i % 4];
    answer(connection, frame[0] & 0x0F, {reinterpret_cast<char*>(payload), length});
    used += head + length;
  }
  return used;
}

bool readFrom(Connection& connection, char* buffer) {
  const auto received = ::recv(connection.descriptor, buffer, kReadBytes, 0);
  if (received <= 0) return false;
  auto size = static_cast<std::size_t>(received);
  char* bytes = buffer;
  if (!connection.partial.empty()) {
    connection.partial.append(buffer, size);
    bytes = connection.partial.data();
    size = connection.partial.size();
  }
  std::size_t used = 0;
  if (connection.is_upgraded) {
    used = handleFrames(connection, bytes, size);
  } else if (std::string_view(bytes, size).find("\r\n\r\n") != std::string_view::npos) {
    upgrade(connection, {bytes, size});
    used = size;
  }
  if (used < size || !connection.partial.empty()) {
    connection.partial = std::string(bytes + used, size - used);
  }
  if (!connection.out.empty()) {
    sub0::bench::sendAll(connection.descriptor, connection.out);
    connection.out.clear();
  }
  return !connection.is_closing;
}

[[noreturn]] void onTerminate(int /*signal*/) { std::exit(0); }

void serve(int listener, int epoll) {
  std::vector<epoll_event> events(512);
  const auto buffer = std::make_unique<char[]>(kReadBytes);
  while (true) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      if (auto* connection =
              static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr)) {
        if (readFrom(*connection, buffer.get())) continue;
        g_upgraded.erase(connection);
        ::close(connection->descriptor);
        delete connection;
        continue;
      }
      const int descriptor = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) continue;
      sub0::bench::setNoDelay(descriptor);
      auto* connection = new Connection;
      connection->descriptor = descriptor;
      sub0::bench::watch(epoll, descriptor, reinterpret_cast<std::uint64_t>(connection));
    }
  }
}

}  // namespace

int main() {
  std::signal(SIGTERM, onTerminate);
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = sub0::bench::loopback(0);
  require(::bind(listener, sub0::bench::generic(address), sizeof address) == 0, "bind");
  require(::listen(listener, 1024) == 0, "listen");
  socklen_t size = sizeof address;
  require(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0,
          "getsockname");
  std::printf("port %u\n", static_cast<unsigned>(ntohs(address.sin_port)));
  std::fflush(stdout);
  const int epoll = ::epoll_create1(0);
  sub0::bench::watch(epoll, listener, 0);
  serve(listener, epoll);
}
