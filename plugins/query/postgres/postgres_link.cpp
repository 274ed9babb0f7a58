// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_link.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace sub0::query {
namespace {

constexpr std::uint64_t kConnectTimeoutMs = 5000;
// In a turn, so that a large result does not hold up others.
constexpr int kMostReads = 16;
// Of one call of OpenSSL, which counts in int.
constexpr std::size_t kMostTls = std::size_t{1} << 30U;
constexpr const char* kLost = "the server has closed the connection";
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
  tls_ = static_cast<SSL*>(PQsslStruct(connection_, "OpenSSL"));
  if (PQsetnonblocking(connection_, 1) != 0 || PQgssEncInUse(connection_) != 0) {
    fail(PQgssEncInUse(connection_) != 0 ? "encryption by GSSAPI is not supported; use TLS"
                                         : messageOf(connection_));
    return;
  }
  if (tls_ != nullptr) {
    SSL_set_mode(tls_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
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
  tls_ = nullptr;
  ++connection_number_;
  input_.clear();
  output_.clear();
  last_words_.clear();
}

void PostgresLink::flush() {
  while (!output_.unsent().empty()) {
    const std::ptrdiff_t size = transmit(output_.unsent());
    if (size == 0) {
      break;
    }
    if (size < 0) {
      output_.clear();  // reading tells how the connection has ended
    } else {
      output_.markSent(static_cast<std::size_t>(size));
    }
  }
  watch(output_.unsent().empty() ? SUB0_READABLE : SUB0_READABLE | SUB0_WRITABLE);
}

void PostgresLink::read() {
  const std::uint64_t number = connection_number_;
  std::ptrdiff_t size = 0;
  std::size_t room = 0;
  int reads = 0;
  do {
    char* const bytes = input_.room(room);
    size = receive(bytes, room);
    if (size > 0) {
      input_.add(static_cast<std::size_t>(size));
      takeMessages();
    }
    if (connection_number_ != number) {
      return;
    }
    // What TLS has taken off the socket already nothing tells of any more.
  } while (size > 0 && ((++reads < kMostReads && static_cast<std::size_t>(size) == room) ||
                        (tls_ != nullptr && SSL_pending(tls_) > 0)));
  owner_.linkRead();
  if (size < 0 && connection_number_ == number) {
    reset(last_words_.empty() ? kLost : last_words_);
  }
}

void PostgresLink::takeMessages() {
  const std::uint64_t number = connection_number_;
  PostgresMessage message{};
  while (connection_number_ == number) {
    switch (input_.next(message)) {
      case PostgresInput::State::kNothing:
        return;
      case PostgresInput::State::kMessage:
        if (message.type == 'E') {
          keepLastWords(PostgresError(message.body));
        }
        owner_.linkMessage(message);
        break;
      case PostgresInput::State::kTooLarge:
        owner_.linkTooLarge();
        break;
      case PostgresInput::State::kBroken:
        reset("the server says what is no message of its protocol");
        return;
    }
  }
}

void PostgresLink::keepLastWords(const PostgresError& error) {
  const std::string& severity = error.field(PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity == "FATAL" || severity == "PANIC") {
    last_words_ = error.text();
  }
}

// As much as is there: 0: nothing at the moment; below: the connection has ended.
std::ptrdiff_t PostgresLink::receive(char* bytes, std::size_t size) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    return resultOfTls(SSL_read(tls_, bytes, static_cast<int>(std::min(size, kMostTls))));
  }
  const ssize_t result = ::recv(PQsocket(connection_), bytes, size, 0);
  if (result > 0) {
    return result;
  }
  return result < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

// The same of what is sent.
std::ptrdiff_t PostgresLink::transmit(std::string_view bytes) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    return resultOfTls(
        SSL_write(tls_, bytes.data(), static_cast<int>(std::min(bytes.size(), kMostTls))));
  }
  const ssize_t result = ::send(PQsocket(connection_), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (result >= 0) {
    return result;
  }
  return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

std::ptrdiff_t PostgresLink::resultOfTls(int result) {
  if (result > 0) {
    return result;
  }
  const int error = SSL_get_error(tls_, result);
  ERR_clear_error();
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
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
  const std::uint64_t number = link.connection_number_;
  if ((events & SUB0_WRITABLE) != 0) {
    link.flush();
  }
  if (link.connection_number_ == number && (events & (SUB0_READABLE | SUB0_HANGUP)) != 0) {
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
