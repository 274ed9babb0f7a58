// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string>

// Everything that a loop learns from outside comes through this port: readiness, bytes, time,
// randomness. RealIo stands on epoll; a simulated one can stand in its place, so that the whole
// host runs under a seeded scheduler. Readiness-shaped; no allocation per call. One Io per loop and
// used on its thread only, except wake(). Descriptors of drivers (libpq) are watched here too, but
// read and written by the driver.
namespace sub0::loop {

inline constexpr std::uint32_t kReadable = 1;
inline constexpr std::uint32_t kWritable = 2;
inline constexpr std::uint32_t kHangup = 4;  // reported only
inline constexpr std::uint32_t kExclusive =
    8;  // with watch: wake one of the loops that share the descriptor

struct IoEvent {
  std::uint64_t token;
  std::uint32_t flags;
};

enum class IoStatus : std::uint8_t { kOk, kWouldBlock, kClosed, kExhausted, kFailed };

struct IoResult {
  IoStatus status =
      IoStatus::kOk;  // kClosed: end of stream; kExhausted: no descriptor or memory left
  std::size_t bytes = 0;
  int error = 0;  // errno
};

/// A new connection, or why there is none.
struct Accepted {
  IoStatus status = IoStatus::kOk;
  int descriptor = -1;
  char address[46] = {};  // numeric, zero-terminated
  std::uint8_t address_size = 0;
};

class Io {
 public:
  Io() = default;
  Io(const Io&) = delete;
  Io& operator=(const Io&) = delete;
  virtual ~Io() = default;

  /// Waits until something is ready, wake() is called, or `timeout_ns` has passed (0: looks only;
  /// negative: no limit). The events are valid until the next call.
  virtual std::span<const IoEvent> wait(std::int64_t timeout_ns) = 0;
  /// Level-triggered. False: the descriptor cannot be watched.
  virtual bool watch(int descriptor, std::uint32_t interest, std::uint64_t token) = 0;
  virtual bool rewatch(int descriptor, std::uint32_t interest, std::uint64_t token) = 0;
  virtual void unwatch(int descriptor) = 0;

  virtual Accepted accept(int listener) = 0;
  virtual IoResult receive(int descriptor, char* buffer, std::size_t size) = 0;
  virtual IoResult send(int descriptor, const iovec* parts, int count) = 0;
  /// Ends our direction (FIN); the peer's may still be read.
  virtual void shutdownWrite(int descriptor) = 0;
  virtual void close(int descriptor) = 0;

  /// THREAD: any. Ends a wait under way, or the next one.
  virtual void wake() = 0;

  virtual std::int64_t monotonicNs() = 0;
  virtual std::int64_t wallMs() = 0;  // since 1970, UTC
  virtual void random(char* buffer, std::size_t size) = 0;
};

}  // namespace sub0::loop
