// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_link.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace sub0::query {
namespace {

constexpr std::uint64_t kConnectTimeoutMs = 5000;
constexpr std::size_t kPieceBytes = 65536;
// So many bytes that wait may be a part of a large message that has begun behind a small one.
constexpr std::size_t kMuch = 16384;
constexpr std::uint64_t kFirstPauseMs = 100;
constexpr std::uint64_t kLongestPauseMs = 5000;
constexpr std::uint64_t kLongestPauseWithStandInMs = 30000;

std::string messageOf(const PGconn* connection) {
  std::string text = connection == nullptr ? "out of memory" : PQerrorMessage(connection);
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

void PostgresLink::open() {
  is_open_ = true;
  connect();
}

void PostgresLink::close() {
  is_open_ = false;
  drop();
}

// The timer bounds the resolution of names as well.
void PostgresLink::connect() {
  startTimer(kConnectTimeoutMs);
  if (!PostgresResolver::needsResolving(address_) || !resolver_.resolve(address_)) {
    connectTo(address_);
  } else {
    is_resolving_ = true;
  }
}

void PostgresLink::resolved(const PostgresAddress* address) {
  if (address == nullptr) {
    fail("the name " + address_.valueOf("host") + " cannot be resolved");
    return;
  }
  startTimer(kConnectTimeoutMs);
  connectTo(*address);
}

void PostgresLink::connectTo(const PostgresAddress& address) {
  is_resolving_ = false;
  // libpq goes on to the next host where one refuses, but not where one says nothing.
  connection_ = rotateHosts(address, timeouts_).connectStart();
  if (connection_ == nullptr || PQstatus(connection_) == CONNECTION_BAD) {
    fail(messageOf(connection_));
    return;
  }
  watch(SUB0_WRITABLE);
}

// libpq may take another socket at each step, so each step watches anew.
void PostgresLink::poll() {
  unwatch();
  switch (PQconnectPoll(connection_)) {
    case PGRES_POLLING_READING:
      watch(SUB0_READABLE);
      break;
    case PGRES_POLLING_WRITING:
      watch(SUB0_WRITABLE);
      break;
    case PGRES_POLLING_OK:
      goUp();
      break;
    default:
      fail(messageOf(connection_));
      break;
  }
}

void PostgresLink::goUp() {
  stopTimer();
  if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1) {
    fail(messageOf(connection_));
    return;
  }
  failures_ = 0;
  timeouts_ = 0;
  is_up_ = true;
  watch(SUB0_READABLE);
  owner_.linkUp();
}

void PostgresLink::fail(const std::string& why) {
  drop();
  ++failures_;
  const std::uint64_t pause_ms = kFirstPauseMs << std::min<std::uint32_t>(failures_ - 1, 10);
  startTimer(
      std::min(pause_ms, owner_.hasStandIn() ? kLongestPauseWithStandInMs : kLongestPauseMs));
  owner_.linkFailed(why);
}

void PostgresLink::reset(const std::string& why) {
  drop();
  startTimer(0);
  owner_.linkLost(why);
}

void PostgresLink::drop() {
  stopTimer();
  unwatch();
  resolver_.forget();
  is_resolving_ = false;
  is_up_ = false;
  PQfinish(connection_);
  connection_ = nullptr;
}

void PostgresLink::flush() {
  const int left = PQflush(connection_);
  if (left < 0) {
    reset(messageOf(connection_));
    return;
  }
  watch(left > 0 ? SUB0_READABLE | SUB0_WRITABLE : SUB0_READABLE);
}

void PostgresLink::read() {
  int waiting = 0;
  (void)ioctl(PQsocket(connection_), FIONREAD, &waiting);
  auto bytes = static_cast<std::size_t>(std::max(waiting, 0));
  // What is to be written first goes the usual way.
  const bool is_bounded =
      (owner_.isWithinMessage() || bytes >= kMuch) && (watched_events_ & SUB0_WRITABLE) == 0;
  const bool is_whole = is_bounded ? consumeSome(bytes) : PQconsumeInput(connection_) == 1;
  PGconn* const before = connection_;
  owner_.linkReadable(bytes);
  if (connection_ == before && is_up_ && (!is_whole || PQstatus(connection_) == CONNECTION_BAD)) {
    reset(messageOf(connection_));
  }
}

// Of a large message libpq would read as long as the server keeps sending, and hold all of it
// before anybody can say that it is too much. So its descriptor stands for another socket
// meanwhile, which holds the next piece alone.
bool PostgresLink::consumeSome(std::size_t& bytes) {
  char piece[kPieceBytes];
  const int descriptor = PQsocket(connection_);
  const ssize_t size = recv(descriptor, piece, sizeof piece, MSG_DONTWAIT);
  if (size <= 0) {
    return PQconsumeInput(connection_) == 1;  // the end, or nothing after all
  }
  int ends[2] = {-1, -1};
  const int real = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  bool is_whole = real >= 0 &&
                  socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0 &&
                  send(ends[1], piece, static_cast<std::size_t>(size), MSG_NOSIGNAL) == size &&
                  dup3(ends[0], descriptor, O_CLOEXEC) == descriptor;
  int left = 1;
  while (is_whole && left > 0) {
    is_whole = PQconsumeInput(connection_) == 1 && ioctl(descriptor, FIONREAD, &left) == 0;
  }
  is_whole = real >= 0 && dup3(real, descriptor, O_CLOEXEC) == descriptor && is_whole;
  for (const int each : {real, ends[0], ends[1]}) {
    if (each >= 0) {
      ::close(each);
    }
  }
  bytes = static_cast<std::size_t>(size);
  return is_whole;
}

void PostgresLink::watch(std::uint32_t events) {
  if (watched_events_ == events) {
    return;
  }
  if (watched_events_ != 0) {
    host_.loop()->rewatch(host_.raw(), watch_handle_, events);
  } else {
    host_.loop()->watch(host_.raw(), PQsocket(connection_), events, &PostgresLink::onReady, this,
                        &watch_handle_);
  }
  watched_events_ = events;
}

void PostgresLink::unwatch() {
  if (watched_events_ != 0) {
    host_.loop()->unwatch(host_.raw(), watch_handle_);
    watched_events_ = 0;
  }
}

void PostgresLink::startTimer(std::uint64_t delay_ms) {
  stopTimer();
  if (is_open_) {
    host_.loop()->start_timer(host_.raw(), delay_ms, &PostgresLink::onTimer, this, &timer_);
    has_timer_ = true;
  }
}

void PostgresLink::stopTimer() {
  if (has_timer_) {
    host_.loop()->stop_timer(host_.raw(), timer_);
    has_timer_ = false;
  }
}

void PostgresLink::onReady(void* raw, std::uint32_t events) {
  auto& link = *static_cast<PostgresLink*>(raw);
  if (!link.is_up_) {
    link.poll();
    return;
  }
  PGconn* const before = link.connection_;
  if ((events & SUB0_WRITABLE) != 0) {
    link.flush();
  }
  if (link.connection_ == before && (events & (SUB0_READABLE | SUB0_HANGUP)) != 0) {
    link.read();
  }
}

void PostgresLink::onTimer(void* raw) {
  auto& link = *static_cast<PostgresLink*>(raw);
  link.has_timer_ = false;
  if (link.connection_ == nullptr && link.is_resolving_) {
    link.fail("the name " + link.address_.valueOf("host") + " is not resolved within 5 seconds");
  } else if (link.connection_ == nullptr) {
    link.connect();
  } else if (!link.is_up_) {
    ++link.timeouts_;
    link.fail("no answer for 5 seconds");
  }
}

}  // namespace sub0::query
