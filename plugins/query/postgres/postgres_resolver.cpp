// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_resolver.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace sub0::query {
namespace {

using Texts = std::vector<std::string>;

Texts split(const std::string& list) {
  Texts parts(1);
  for (const char c : list) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

std::string join(const Texts& parts) {
  std::string list;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    list += (i > 0 ? "," : "") + parts[i];
  }
  return list;
}

bool isAddress(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

// Neither an address, a socket's folder, nor left to libpq's default.
bool isName(const std::string& host) {
  return !host.empty() && host[0] != '/' && host[0] != '@' && !isAddress(host);
}

Texts addressesOf(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  Texts addresses;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) {
    return addresses;
  }
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

struct PostgresResolver::Job {
  PostgresAddress address;
  HostPort host;
  std::uint32_t loop;
  PostgresResolver* resolver;  // used on the loop alone; null: forgotten
  bool has_host = false;

  // On a thread of the pool, then on the loop; `raw` holds the job meanwhile.
  static void work(void* raw) {
    Job& job = **static_cast<std::shared_ptr<Job>*>(raw);
    job.has_host = resolveNames(job.address);
    job.host.loop()->post(job.host.raw(), job.loop, &Job::tell, raw);
  }
  static void tell(void* raw) {
    const std::unique_ptr<std::shared_ptr<Job>> held(static_cast<std::shared_ptr<Job>*>(raw));
    const std::shared_ptr<Job> job = *held;
    if (job->resolver != nullptr) {
      PostgresResolver& resolver = *job->resolver;
      resolver.forget();
      resolver.owner_.resolved(job->has_host ? &job->address : nullptr);
    }
  }
};

bool PostgresResolver::needsResolving(const PostgresAddress& address) {
  if (!address.valueOf("hostaddr").empty()) {
    return false;
  }
  for (const std::string& host : split(address.valueOf("host"))) {
    if (isName(host)) {
      return true;
    }
  }
  return false;
}

bool PostgresResolver::resolve(const PostgresAddress& address) {
  forget();
  const std::int32_t loop = host_.currentLoop();
  if (host_.pool() == nullptr || loop < 0) {
    return false;
  }
  job_ = std::make_shared<Job>(Job{address, host_, static_cast<std::uint32_t>(loop), this, false});
  auto held = std::make_unique<std::shared_ptr<Job>>(job_);
  if (host_.pool()->submit(host_.raw(), &Job::work, held.get()) != SUB0_OK) {
    forget();
    return false;
  }
  static_cast<void>(held.release());
  return true;
}

void PostgresResolver::forget() {
  if (job_ != nullptr) {
    job_->resolver = nullptr;
    job_.reset();
  }
}

bool resolveNames(PostgresAddress& address) {
  const Texts names = split(address.valueOf("host"));
  const Texts given_ports = split(address.valueOf("port"));
  Texts hosts, addresses, ports;
  for (std::size_t i = 0; i < names.size(); ++i) {
    Texts found{isAddress(names[i]) ? names[i] : std::string()};
    if (isName(names[i])) {
      found = addressesOf(names[i]);
    }
    for (const std::string& each : found) {
      hosts.push_back(names[i]);
      addresses.push_back(each);
      ports.push_back(given_ports[i < given_ports.size() ? i : given_ports.size() - 1]);
    }
  }
  address.set("host", join(hosts));
  address.set("hostaddr", join(addresses));
  if (given_ports.size() > 1 || !given_ports[0].empty()) {
    address.set("port", join(ports));
  }
  return !hosts.empty();
}

PostgresAddress rotateHosts(PostgresAddress address, std::size_t first) {
  for (const char* keyword : {"host", "hostaddr", "port"}) {
    Texts parts = split(address.valueOf(keyword));
    if (parts.size() > 1) {  // a single port is that of every host
      std::rotate(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(first % parts.size()),
                  parts.end());
      address.set(keyword, join(parts));
    }
  }
  return address;
}

}  // namespace sub0::query
