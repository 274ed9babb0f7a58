// SPDX-License-Identifier: Apache-2.0
#include "loop/real_io.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <system_error>

#include "base/time_units.hpp"

namespace sub0::loop {
namespace {

constexpr std::uint64_t kWakeToken = 0;  // no watch has it: generations begin at 1

std::uint32_t toEpoll(std::uint32_t interest) {
  std::uint32_t events = 0;
  if ((interest & kReadable) != 0) events |= EPOLLIN;
  if ((interest & kWritable) != 0) events |= EPOLLOUT;
  if ((interest & kExclusive) != 0) events = EPOLLIN | EPOLLEXCLUSIVE;
  return events;
}

std::uint32_t fromEpoll(std::uint32_t events) {
  std::uint32_t flags = 0;
  if ((events & EPOLLIN) != 0) flags |= kReadable;
  if ((events & EPOLLOUT) != 0) flags |= kWritable;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) flags |= kHangup;
  return flags;
}

// glibc's recv and send are points at which a thread may be cancelled, which takes sixty
// instructions more than the call itself; none of our threads is ever cancelled.
long receiveNow(int descriptor, char* buffer, std::size_t size) {
  return ::syscall(SYS_recvfrom, descriptor, buffer, size, 0, nullptr, nullptr);
}
long sendNow(int descriptor, const iovec& part) {
  return ::syscall(SYS_sendto, descriptor, part.iov_base, part.iov_len, MSG_NOSIGNAL, nullptr, 0);
}

std::int64_t clockNs(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * kNsPerSecond + time.tv_nsec;
}

IoResult failure(int error) {
  switch (error) {
    case EAGAIN:
      return {IoStatus::kWouldBlock, 0, error};
    case ENOMEM:
    case ENOBUFS:
      return {IoStatus::kExhausted, 0, error};
    default:
      return {IoStatus::kFailed, 0, error};
  }
}

void describePeer(const sockaddr_storage& storage, Accepted& accepted) {
  const char* text = nullptr;
  if (storage.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof address);
    text = ::inet_ntop(AF_INET, &address.sin_addr, accepted.address, sizeof accepted.address);
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, &storage, sizeof address);
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
      text = ::inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], accepted.address,
                         sizeof accepted.address);
    } else {
      text = ::inet_ntop(AF_INET6, &address.sin6_addr, accepted.address, sizeof accepted.address);
    }
  }
  accepted.address_size = text == nullptr ? 0 : static_cast<std::uint8_t>(std::strlen(text));
}

}  // namespace

RealIo::RealIo() : raw_(kMaxEvents) {
  events_.reserve(kMaxEvents);
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll_ < 0 || wake_ < 0) throw std::system_error(errno, std::system_category(), "epoll");
  watch(wake_, kReadable, kWakeToken);
}

RealIo::~RealIo() {
  ::close(wake_);
  ::close(epoll_);
}

std::span<const IoEvent> RealIo::wait(std::int64_t timeout_ns) {
  int timeout_ms = -1;
  if (timeout_ns >= 0) {
    const std::int64_t rounded_ms = (timeout_ns + 999'999) / kNsPerMs;
    timeout_ms = static_cast<int>(rounded_ms > INT_MAX ? INT_MAX : rounded_ms);
  }
  const int count = ::epoll_wait(epoll_, raw_.data(), static_cast<int>(raw_.size()), timeout_ms);
  events_.clear();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = raw_[static_cast<std::size_t>(i)];
    if (event.data.u64 == kWakeToken) {
      std::uint64_t counter = 0;
      [[maybe_unused]] const auto size = ::read(wake_, &counter, sizeof counter);
      continue;
    }
    events_.push_back({event.data.u64, fromEpoll(event.events)});
  }
  return events_;
}

bool RealIo::watch(int descriptor, std::uint32_t interest, std::uint64_t token) {
  epoll_event event{};
  event.events = toEpoll(interest);
  event.data.u64 = token;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

bool RealIo::rewatch(int descriptor, std::uint32_t interest, std::uint64_t token) {
  epoll_event event{};
  event.events = toEpoll(interest);
  event.data.u64 = token;
  return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) == 0;
}

void RealIo::unwatch(int descriptor) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr); }

Accepted RealIo::accept(int listener) {
  Accepted accepted;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket interface wants it
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  accepted.descriptor = ::accept4(listener, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted.descriptor < 0) {
    const int error = errno;
    const bool is_exhausted =
        error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
    accepted.status = is_exhausted ? IoStatus::kExhausted : IoStatus::kWouldBlock;
    return accepted;
  }
  describePeer(storage, accepted);
  return accepted;
}

IoResult RealIo::receive(int descriptor, char* buffer, std::size_t size) {
  while (true) {
    const auto received = receiveNow(descriptor, buffer, size);
    if (received > 0) return {IoStatus::kOk, static_cast<std::size_t>(received), 0};
    if (received == 0) return {IoStatus::kClosed, 0, 0};
    if (errno != EINTR) return failure(errno);
  }
}

namespace {
ssize_t sendParts(int descriptor, const iovec* parts, int count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(descriptor, &message, MSG_NOSIGNAL);
}
}  // namespace

IoResult RealIo::send(int descriptor, const iovec* parts, int count) {
  while (true) {
    const auto sent =
        count == 1 ? sendNow(descriptor, *parts) : sendParts(descriptor, parts, count);
    if (sent >= 0) return {IoStatus::kOk, static_cast<std::size_t>(sent), 0};
    if (errno != EINTR) return failure(errno);
  }
}

void RealIo::shutdownWrite(int descriptor) { ::shutdown(descriptor, SHUT_WR); }

void RealIo::close(int descriptor) { ::close(descriptor); }

void RealIo::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto size = ::write(wake_, &one, sizeof one);
}

std::int64_t RealIo::monotonicNs() { return clockNs(CLOCK_MONOTONIC); }

std::int64_t RealIo::wallMs() { return clockNs(CLOCK_REALTIME) / kNsPerMs; }

void RealIo::random(char* buffer, std::size_t size) {
  while (size > 0) {
    const auto got = ::getrandom(buffer, size, 0);
    if (got <= 0) continue;
    buffer += got;
    size -= static_cast<std::size_t>(got);
  }
}

}  // namespace sub0::loop
