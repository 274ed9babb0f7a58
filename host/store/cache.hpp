// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "loop/loop.hpp"
#include "store/cached_value.hpp"

// The port of S-93: results under keys, for some time, shared by all calls of the project, each key
// worked out once however many ask for it at the same time. LocalCache keeps them in this process;
// a store that nodes share can stand in its place, since whoever asks must be ready to wait. Keys
// are opaque; times are those of the loops' monotonic clock and passed in. THREAD: any.
namespace sub0::store {

class CacheWait;

/// Who waits for a result that another call works out, or that has been asked for elsewhere.
class CacheListener {
 public:
  /// THREAD: that of the loop given to Cache::find(). Null: nobody will tell, the result is to be
  /// worked out. Called once, unless the wait was left.
  virtual void onCached(CacheWait& wait, CachedPointer value) = 0;

 protected:
  ~CacheListener() = default;
};

/// A result that is being worked out, held by the call that does, which must land() it.
struct CacheFlight {
  std::string key;
  CacheWait* waits = nullptr;
  bool is_current = true;  // false: the key has changed meanwhile, so the result is out of date
};

/// One listener's wait. OWNERSHIP: its own; gone after onCached() or Cache::leave().
class CacheWait final : private loop::Letter {
 public:
  /// `place`: where its cache finds what guards its flight.
  CacheWait(CacheListener& listener, loop::Loop& loop, std::size_t place)
      : listener_(&listener), loop_(loop), place_(place) {}

 private:
  friend class Cache;
  void run() override {
    if (listener_ != nullptr) listener_->onCached(*this, std::move(value_));
    delete this;
  }

  CacheListener* listener_;  // null: left
  loop::Loop& loop_;
  const std::size_t place_;
  CachedPointer value_;
  CacheFlight* flight_ = nullptr;  // null: told
  CacheWait* next_ = nullptr;
  CacheWait** previous_ = nullptr;
};

/// What a cache has done and holds.
struct CacheTotals {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t shared = 0;   // misses that waited for another call's
  std::uint64_t evicted = 0;  // before their time, for want of room
  std::uint64_t refused = 0;  // too large
  std::uint64_t entries = 0;
  std::uint64_t size_bytes = 0;
};

class Cache {
 public:
  Cache() = default;
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  /// One of the three: a value; a flight, where the caller is the one that works it out; a wait.
  struct Found {
    CachedPointer value;
    std::unique_ptr<CacheFlight> flight;
    CacheWait* wait = nullptr;
  };
  virtual Found find(std::string_view key, std::int64_t now_ns, CacheListener& listener,
                     loop::Loop& loop) = 0;
  /// Ends a flight: all that wait are told `value` (null: it failed), which is kept until
  /// `until_ns` if it is no JSON null and the key has not changed meanwhile.
  virtual void land(std::unique_ptr<CacheFlight> flight, CachedPointer value,
                    std::int64_t until_ns) = 0;
  /// The listener does not wait any more. THREAD: its loop's.
  virtual void leave(CacheWait& wait) = 0;

  /// Only looks; null: not there.
  virtual CachedPointer look(std::string_view key, std::int64_t now_ns) = 0;
  /// To be taken before a result is worked out without a flight, and given to put().
  virtual std::uint64_t mark(std::string_view key) = 0;
  /// Keeps what was worked out without a flight. Where the key was erased or put since `mark` it
  /// may be out of date: then the key is erased. (A cache may take another key for it, now and
  /// then.)
  virtual void put(std::string_view key, CachedPointer value, std::int64_t until_ns,
                   std::uint64_t mark) = 0;
  virtual void erase(std::string_view key) = 0;

  virtual CacheTotals totals() const = 0;

 protected:
  virtual ~Cache() = default;

  // For caches: the list of a flight, under whatever guards it.
  static CacheWait* addWait(CacheFlight& flight, CacheListener& listener, loop::Loop& loop,
                            std::size_t place);
  /// Under the same guard, on the listener's thread: frees the wait, or where it has been told,
  /// lets its letter do so.
  static void endWait(CacheWait& wait);
  /// Takes all waits off the flight; tell() sends them their value then.
  static CacheWait* takeWaits(CacheFlight& flight);
  static void tell(CacheWait* waits, const CachedPointer& value);
  static std::size_t placeOf(const CacheWait& wait) { return wait.place_; }
};

}  // namespace sub0::store
