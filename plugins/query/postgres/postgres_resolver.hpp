// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "host_port.hpp"
#include "postgres/postgres_address.hpp"

namespace sub0::query {

// Names of hosts as addresses: libpq would ask for them while it connects, and hold up the loop.
// A thread of the pool asks; the address comes back on the loop with `hostaddr` beside `host`, so
// that certificates are still compared with the name. A name with several addresses is several
// hosts, tried in turn; one that has none is left out. THREAD: one loop.
class PostgresResolver {
 public:
  // Told once for each resolve, unless it was forgotten meanwhile.
  class Owner {
   public:
    // Null: no host is left.
    virtual void resolved(const PostgresAddress* address) = 0;

   protected:
    ~Owner() = default;
  };

  PostgresResolver(const HostPort& host, Owner& owner) : host_(host), owner_(owner) {}
  ~PostgresResolver() { forget(); }
  PostgresResolver(const PostgresResolver&) = delete;
  PostgresResolver& operator=(const PostgresResolver&) = delete;

  // Whether the address holds a name that is to be resolved.
  static bool needsResolving(const PostgresAddress& address);
  // False: the pool takes nothing.
  bool resolve(const PostgresAddress& address);
  void forget();

 private:
  struct Job;

  const HostPort& host_;
  Owner& owner_;
  std::shared_ptr<Job> job_;  // under way
};

// Gives the address `hostaddr` for every host that is a name; false: no host is left. Blocks.
bool resolveNames(PostgresAddress& address);

// The address with its hosts, their addresses and ports in the same order, but that the one at
// `first` (of as many as there are, again and again) comes first.
PostgresAddress rotateHosts(PostgresAddress address, std::size_t first);

}  // namespace sub0::query
