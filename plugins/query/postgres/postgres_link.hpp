// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>
#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "host_port.hpp"
#include "postgres/postgres_address.hpp"
#include "postgres/postgres_resolver.hpp"
#include "postgres/postgres_wire.hpp"

namespace sub0::query {

// One connection to PostgreSQL that comes back by itself: it connects without blocking the loop
// (a thread of the pool resolves names), watches it, and after a loss connects again, at once the
// first time, then after 100 ms doubling up to 5 s, or up to 30 s where others stand in for it.
// libpq connects, up to where the server is ready; from then on the link itself moves messages over
// libpq's socket, or its TLS session. What they say, and what is logged of the link, is its
// owner's. THREAD: one loop.
class PostgresLink final : private PostgresResolver::Owner {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void linkUp() = 0;
    virtual void linkMessage(const PostgresMessage& message) = 0;
    // The messages that had come have been given.
    virtual void linkRead() = 0;
    // In place of a row that is too large to be held, and is dropped as it comes.
    virtual void linkTooLarge() = 0;
    // The connection is gone, and with it all that was under way.
    virtual void linkLost(const std::string& why) = 0;
    // An attempt to connect failed; the next follows later.
    virtual void linkFailed(const std::string& why) = 0;
    // Whether the owner's work is done without this link meanwhile.
    virtual bool hasStandIn() const = 0;
  };

  // No row of more bytes is held.
  PostgresLink(const HostPort& host, const PostgresAddress& address, Owner& owner,
               std::size_t most_row_bytes)
      : host_(host),
        address_(address),
        owner_(owner),
        resolver_(host, *this),
        input_(most_row_bytes) {}
  ~PostgresLink() { close(); }
  PostgresLink(const PostgresLink&) = delete;
  PostgresLink& operator=(const PostgresLink&) = delete;

  void open();
  void close();
  bool isUp() const { return is_up_; }
  // To cancel what the server is at.
  PGcancel* makeCancel() const { return PQgetCancel(connection_); }
  // What the next flush sends. REQUIRES: isUp().
  PostgresOutput& output() { return output_; }
  // Sends it as far as the socket takes it.
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
  void takeMessages();
  void keepLastWords(const PostgresError& error);
  std::ptrdiff_t receive(char* bytes, std::size_t size);
  std::ptrdiff_t transmit(std::string_view bytes);
  std::ptrdiff_t resultOfTls(int result);
  void startTimer(std::uint64_t delay_ms);
  void stopTimer();
  static void onReady(void* link, std::uint32_t events);
  static void onTimer(void* link);

  const HostPort& host_;
  const PostgresAddress& address_;
  Owner& owner_;
  PostgresResolver resolver_;
  PGconn* connection_ = nullptr;
  SSL* tls_ = nullptr;                   // the connection's; null: it has none
  std::uint64_t connection_number_ = 0;  // which one it is
  PostgresInput input_;
  PostgresOutput output_;
  std::string last_words_;  // of the server, before it ends the connection
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
