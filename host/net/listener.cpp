// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <fcntl.h>

#include <utility>

#include "base/log.hpp"
#include "base/time_units.hpp"

namespace sub0::net {

Result<Done> Listener::open(const std::string& host, std::uint16_t port) {
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string name = is_bracketed ? host.substr(1, host.size() - 2) : host;
  const std::string place = name + " port " + std::to_string(port);
  try {
    const Poco::Net::SocketAddress address(name, port);
    const bool is_v6 = address.family() == Poco::Net::SocketAddress::IPv6;
    if (is_v6) {
      const bool is_v6_only = !address.host().isWildcard();
      socket_.bind6(address, true, false, is_v6_only);
    } else {
      socket_.bind(address, true, false);
    }
    socket_.listen(kBacklog);
    socket_.setBlocking(false);
    socket_.setNoDelay(true);  // what is accepted has it from here: a system call less for each
    ::fcntl(descriptor(), F_SETFD, FD_CLOEXEC);
    port_ = socket_.address().port();
    host_ = is_v6 ? "[" + address.host().toString() + "]" : address.host().toString();
    return Done{};
  } catch (const Poco::Exception& exception) {
    return makeError(Code::kUnavailable,
                     "cannot listen on " + place + ": " + exception.displayText() +
                         ". Choose another address by HOST (--host) or PORT (--port)");
  }
}

bool Listener::maySayPause(std::int64_t now_ns) const {
  std::int64_t until_ns = quiet_until_ns_.load(std::memory_order_relaxed);
  return now_ns >= until_ns &&
         quiet_until_ns_.compare_exchange_strong(until_ns, now_ns + kNsPerSecond);
}

Acceptor::Acceptor(loop::Loop& loop, const Listener& listener, std::uint64_t pause_ms,
                   Counters& counters, std::function<std::uint64_t()> average, OnAccept on_accept)
    : loop_(loop),
      listener_(listener),
      pause_ms_(pause_ms),
      counters_(counters),
      average_(std::move(average)),
      on_accept_(std::move(on_accept)) {}

Acceptor::~Acceptor() { close(); }

void Acceptor::start() {
  if (is_closed_ || watch_ != 0) return;
  watch_ = loop_.watch(listener_.descriptor(), loop::kReadable | loop::kExclusive, *this);
}

void Acceptor::close() {
  is_closed_ = true;
  stop();
  if (watch_ != 0) loop_.unwatch(std::exchange(watch_, 0));
}

void Acceptor::onEvent(std::uint32_t /*flags*/) {
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    const loop::Accepted accepted = loop_.io().accept(listener_.descriptor());
    if (accepted.status == loop::IoStatus::kOk) {
      counters_.accepted.add();
      on_accept_(accepted);
      // One was taken first: nobody else may have been woken for it.
      if (!hasTooMany()) continue;
      pause(kBusyPauseMs);
      return;
    }
    if (accepted.status != loop::IoStatus::kExhausted) return;
    counters_.accept_failures.add();
    if (listener_.maySayPause(loop_.nowNs())) {
      log::warning("accept_paused",
                   "no descriptor or memory is left for a new connection: accepting pauses. "
                   "Raise the limit of open files (LimitNOFILE, ulimit -n)");
    }
    pause(static_cast<std::int64_t>(pause_ms_));
    return;
  }
}

bool Acceptor::hasTooMany() const {
  constexpr std::uint64_t kSlack = 16;
  const std::uint64_t average = average_();
  return counters_.open_connections.get() > average + average / 8 + kSlack;
}

void Acceptor::pause(std::int64_t delay_ms) {
  if (watch_ != 0) loop_.unwatch(std::exchange(watch_, 0));
  loop_.startTimer(*this, delay_ms);
}

void Acceptor::onTimer() { start(); }

}  // namespace sub0::net
