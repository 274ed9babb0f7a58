// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "loop/io.hpp"
#include "tests/simulation/world.hpp"

namespace sub0::simulation {

/// Bytes on their way from one end to the other: sent, arriving after a while, and read. What is
/// sent and not read fills the kernel's buffers.
class Pipe {
 public:
  std::size_t room() const { return unread() < capacity_bytes ? capacity_bytes - unread() : 0; }
  std::size_t unread() const { return bytes_.size() - head_; }
  std::size_t arrived(std::int64_t now_ns) const;
  bool hasEnded(std::int64_t now_ns) const {
    return fin_at_ns >= 0 && fin_at_ns <= now_ns && unread() == 0;
  }

  /// REQUIRES: room.
  void put(std::string_view bytes, std::int64_t arrival_ns);
  void end(std::int64_t arrival_ns);
  /// REQUIRES: arrived.
  void take(char* buffer, std::size_t size);
  /// What has not arrived is lost, and perhaps what has.
  void lose(std::int64_t now_ns, bool also_arrived);

  std::size_t capacity_bytes = std::size_t{64} << 10;
  std::int64_t fin_at_ns = -1;

 private:
  struct Mark {
    std::int64_t at_ns;
    std::uint64_t end;  // of the stream
  };
  std::string bytes_;
  std::size_t head_ = 0;
  std::uint64_t taken_ = 0;
  std::deque<Mark> marks_;
  std::int64_t last_arrival_ns_ = 0;
};

/// A TCP connection: both ends' kernels and the network in between.
struct Link {
  std::uint64_t number = 0;
  Pipe up;                               // to the server
  Pipe down;                             // to the client
  std::int64_t reset_server_at_ns = -1;  // an RST reaches the server then
  std::int64_t reset_client_at_ns = -1;
  int descriptor = -1;  // of the server's end, once accepted
  bool is_server_gone = false;
  bool is_client_gone = false;
  bool is_server_finished = false;  // has sent its FIN
  bool is_client_finished = false;
  bool is_reset_told = false;  // the server has heard of it
  std::int64_t max_delay_ns = 0;
  std::string address;
};

enum class Received : std::uint8_t { kSome, kNothing, kEnd, kReset };

/// All sockets of a run. The server's side is what SimIo offers to the host, by descriptors that
/// are used again like the kernel's; the client's side is for the clients. Exact: a full buffer
/// takes nothing, an end comes behind what was sent, a reset may eat what is under way, and who
/// closes with unread input resets.
class Network {
 public:
  static constexpr int kListener = 3;
  explicit Network(World& world) : world_(world) {}

  // The clients' side.
  std::shared_ptr<Link> connect(std::size_t up_bytes, std::size_t down_bytes,
                                std::int64_t max_delay_ns, std::string address);
  std::size_t clientSend(Link& link, std::string_view bytes);
  Received clientReceive(Link& link, std::size_t max_bytes, std::string& out);
  bool clientHasInput(const Link& link) const;
  bool clientHasRoom(const Link& link) const { return link.up.room() > 0; }
  void clientFinish(Link& link);
  void clientClose(Link& link);
  void clientReset(Link& link);

  // The server's side, by descriptor.
  bool isKnown(int descriptor) const { return find(descriptor) != nullptr; }
  std::uint32_t readiness(int descriptor) const;  // as epoll would tell
  std::shared_ptr<Link> accept();
  bool hasBacklog() const;
  loop::IoResult receive(int descriptor, char* buffer, std::size_t size);
  loop::IoResult send(int descriptor, const iovec* parts, int count);
  void finish(int descriptor);
  void close(int descriptor);

  std::size_t openDescriptors() const;
  std::uint64_t accepted() const { return accepted_; }
  /// The next accepts are refused: no descriptor is left.
  bool refusesAccept();
  /// The link of a descriptor, for the oracles.
  Link* find(int descriptor) const;

 private:
  std::int64_t arrival(const Link& link);
  void resetClient(Link& link);

  World& world_;
  std::deque<std::pair<std::int64_t, std::shared_ptr<Link>>> backlog_;
  std::vector<std::shared_ptr<Link>> open_;  // by descriptor
  std::uint64_t next_link_ = 1;
  std::uint64_t accepted_ = 0;
  std::int64_t exhausted_until_ns_ = 0;
};

}  // namespace sub0::simulation
