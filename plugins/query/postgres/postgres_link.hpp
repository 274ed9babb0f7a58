// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <string>

#include "host_port.hpp"
#include "postgres/postgres_address.hpp"
#include "postgres/postgres_resolver.hpp"

namespace sub0::query {

// One connection to PostgreSQL that comes back by itself: it connects without blocking the loop
// (a thread of the pool resolves names), puts the connection into pipeline mode, watches it, and
// after a loss connects again, at once the first time, then after 100 ms doubling up to 5 s, or up
// to 30 s where others stand in for it. What is sent over it, and what is logged of it, is its
// owner's. THREAD: one loop.
class PostgresLink final : private PostgresResolver::Owner {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void linkUp() = 0;
    // Bytes have come: take the results. `bytes` is an estimate of how many.
    virtual void linkReadable(std::size_t bytes) = 0;
    // The connection is gone, and with it all that was under way.
    virtual void linkLost(const std::string& why) = 0;
    // An attempt to connect failed; the next follows later.
    virtual void linkFailed(const std::string& why) = 0;
    // A message has begun to come and is not whole: it may be of any size.
    virtual bool isWithinMessage() const = 0;
    // Whether the owner's work is done without this link meanwhile.
    virtual bool hasStandIn() const = 0;
  };

  PostgresLink(const HostPort& host, const PostgresAddress& address, Owner& owner)
      : host_(host), address_(address), owner_(owner), resolver_(host, *this) {}
  ~PostgresLink() { close(); }
  PostgresLink(const PostgresLink&) = delete;
  PostgresLink& operator=(const PostgresLink&) = delete;

  void open();
  void close();
  bool isUp() const { return is_up_; }
  PGconn* raw() const { return connection_; }
  // Sends what is buffered as far as the socket takes it.
  void flush();
  // Gives the connection up and makes a new one.
  void reset(const std::string& why);

 private:
  void connect();
  void connectTo(const PostgresAddress& address);
  void resolved(const PostgresAddress* address) override;
  void poll();
  void goUp();
  void fail(const std::string& why);
  void drop();
  void watch(std::uint32_t events);
  void unwatch();
  void read();
  bool consumeSome(std::size_t& bytes);
  void startTimer(std::uint64_t delay_ms);
  void stopTimer();
  static void onReady(void* link, std::uint32_t events);
  static void onTimer(void* link);

  const HostPort& host_;
  const PostgresAddress& address_;
  Owner& owner_;
  PostgresResolver resolver_;
  PGconn* connection_ = nullptr;
  bool is_open_ = false;
  bool is_resolving_ = false;
  bool is_up_ = false;
  std::uint32_t failures_ = 0;
  std::uint32_t timeouts_ = 0;  // of them: a host said nothing
  std::uint64_t watch_handle_ = 0;
  std::uint32_t watched_events_ = 0;
  std::uint64_t timer_ = 0;
  bool has_timer_ = false;
};

}  // namespace sub0::query
