// SPDX-License-Identifier: Apache-2.0
// Lets other threads go on between two steps of the protocol by which loops sleep and are woken.
// loop.cpp and mailbox.cpp are compiled with the compiler's instrumentation for the thread
// sanitizer; these functions stand in for the sanitizer: sequentially consistent steps, of which
// only that protocol has any, are where a thread may be preempted. Everything else does what it
// says. What a weaker order would allow is not simulated.
#include <atomic>
#include <cstdint>
#include <cstring>

#include "tests/simulation/world.hpp"

namespace sub0::simulation {
namespace {

void step(int order) {
  if (order != __ATOMIC_SEQ_CST) return;
  World* const world = World::current();
  if (world != nullptr) world->mayBePreempted();
}

}  // namespace
}  // namespace sub0::simulation

using sub0::simulation::step;

// NOLINTBEGIN(bugprone-reserved-identifier): the names are the compiler's
#define SUB0_ATOMICS(BITS, TYPE)                                                                   \
  TYPE __tsan_atomic##BITS##_load(const volatile TYPE* place, int order) {                         \
    step(order);                                                                                   \
    return __atomic_load_n(place, __ATOMIC_SEQ_CST);                                               \
  }                                                                                                \
  void __tsan_atomic##BITS##_store(volatile TYPE* place, TYPE value, int order) {                  \
    step(order);                                                                                   \
    __atomic_store_n(place, value, __ATOMIC_SEQ_CST);                                              \
  }                                                                                                \
  TYPE __tsan_atomic##BITS##_exchange(volatile TYPE* place, TYPE value, int order) {               \
    step(order);                                                                                   \
    return __atomic_exchange_n(place, value, __ATOMIC_SEQ_CST);                                    \
  }                                                                                                \
  TYPE __tsan_atomic##BITS##_fetch_add(volatile TYPE* place, TYPE value, int order) {              \
    step(order);                                                                                   \
    return __atomic_fetch_add(place, value, __ATOMIC_SEQ_CST);                                     \
  }                                                                                                \
  TYPE __tsan_atomic##BITS##_fetch_sub(volatile TYPE* place, TYPE value, int order) {              \
    step(order);                                                                                   \
    return __atomic_fetch_sub(place, value, __ATOMIC_SEQ_CST);                                     \
  }                                                                                                \
  int __tsan_atomic##BITS##_compare_exchange_strong(volatile TYPE* place, TYPE* expected,          \
                                                    TYPE value, int order, int) {                  \
    step(order);                                                                                   \
    return __atomic_compare_exchange_n(place, expected, value, false, __ATOMIC_SEQ_CST,            \
                                       __ATOMIC_SEQ_CST)                                           \
               ? 1                                                                                 \
               : 0;                                                                                \
  }                                                                                                \
  int __tsan_atomic##BITS##_compare_exchange_weak(volatile TYPE* place, TYPE* expected,            \
                                                  TYPE value, int order, int failure) {            \
    return __tsan_atomic##BITS##_compare_exchange_strong(place, expected, value, order, failure);  \
  }                                                                                                \
  TYPE __tsan_atomic##BITS##_compare_exchange_val(volatile TYPE* place, TYPE expected, TYPE value, \
                                                  int order, int failure) {                        \
    __tsan_atomic##BITS##_compare_exchange_strong(place, &expected, value, order, failure);        \
    return expected;                                                                               \
  }
#define SUB0_IGNORED(NAME) \
  void __tsan_##NAME(void*) {}

extern "C" {
SUB0_ATOMICS(8, std::uint8_t)
SUB0_ATOMICS(32, std::uint32_t)
SUB0_ATOMICS(64, std::uint64_t)
void __tsan_init() {}
void __tsan_func_exit() {}
SUB0_IGNORED(func_entry)
SUB0_IGNORED(read1)
SUB0_IGNORED(read2)
SUB0_IGNORED(read4)
SUB0_IGNORED(read8)
SUB0_IGNORED(read16)
SUB0_IGNORED(write1)
SUB0_IGNORED(write2)
SUB0_IGNORED(write4)
SUB0_IGNORED(write8)
SUB0_IGNORED(write16)
SUB0_IGNORED(unaligned_read2)
SUB0_IGNORED(unaligned_read4)
SUB0_IGNORED(unaligned_read8)
SUB0_IGNORED(unaligned_read16)
SUB0_IGNORED(unaligned_write2)
SUB0_IGNORED(unaligned_write4)
SUB0_IGNORED(unaligned_write8)
SUB0_IGNORED(unaligned_write16)
SUB0_IGNORED(vptr_read)
void __tsan_vptr_update(void*, void*) {}
void __tsan_read_range(void*, std::size_t) {}
void __tsan_write_range(void*, std::size_t) {}
void* __tsan_memcpy(void* to, const void* from, std::size_t size) {
  return std::memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, std::size_t size) {
  return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int byte, std::size_t size) { return std::memset(to, byte, size); }
}
// NOLINTEND(bugprone-reserved-identifier)
