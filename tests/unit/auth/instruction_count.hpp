// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>

// How many instructions a piece of code executes: the trap flag of x86 stops after each of them,
// and a signal handler counts. Exact where the machine's own counters may not be read, and
// independent of load. x86-64 only; one thread at a time; a few microseconds per instruction. Tests
// only.
#if defined(__x86_64__)
namespace sub0::auth {

inline volatile sig_atomic_t g_instructions = 0;

inline std::int64_t countInstructions(const std::function<void()>& work) {
  struct sigaction counting {};
  struct sigaction previous {};
  counting.sa_handler = [](int) { g_instructions = g_instructions + 1; };
  sigaction(SIGTRAP, &counting, &previous);
  g_instructions = 0;
  asm volatile("pushfq; orl $0x100, (%%rsp); popfq" ::: "memory", "cc");
  work();
  asm volatile("pushfq; andl $~0x100, (%%rsp); popfq" ::: "memory", "cc");
  const std::int64_t count = g_instructions;
  sigaction(SIGTRAP, &previous, nullptr);
  return count;
}

}  // namespace sub0::auth
#endif
