// SPDX-License-Identifier: Apache-2.0
#include "plugin/crash_report.hpp"

#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "plugin/faults.hpp"

namespace sub0::plugin {
namespace {

constexpr std::size_t kStackBytes = std::size_t{64} << 10;
constexpr std::size_t kMostNameBytes = 63;
constexpr int kMaxFrames = 64;
constexpr unsigned kPatienceSeconds = 10;  // for the backtrace: the dying thread may hold its locks

struct CrashSignal {
  int number;
  std::string_view name;
  bool has_address;
};
constexpr CrashSignal kSignals[] = {{SIGSEGV, "SIGSEGV", true},
                                    {SIGBUS, "SIGBUS", true},
                                    {SIGILL, "SIGILL", true},
                                    {SIGFPE, "SIGFPE", true},
                                    {SIGABRT, "SIGABRT", false}};

std::atomic<bool> is_installed{false};
std::atomic_flag is_reporting = ATOMIC_FLAG_INIT;

/// A line that is put together without memory from anywhere.
class Line {
 public:
  void add(std::string_view text) {
    for (const char c : text) put(c);
  }
  /// A name from a plugin or a project: bounded, on one line.
  void addName(std::string_view label, std::string_view name) {
    add(label);
    for (const char c : name.substr(0, kMostNameBytes)) put(c > ' ' && c < '\x7f' ? c : '?');
  }
  void addNumber(std::string_view label, std::uint64_t number, unsigned base) {
    char digits[20];
    std::size_t count = 0;
    do {
      digits[count++] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    add(label);
    while (count > 0) put(digits[--count]);
  }
  void write() {
    put('\n');
    std::string_view left(buffer_.data(), size_);
    while (!left.empty()) {
      const ssize_t done = ::write(STDERR_FILENO, left.data(), left.size());
      if (done <= 0) return;
      left.remove_prefix(static_cast<std::size_t>(done));
    }
  }

 private:
  void put(char c) {
    if (size_ < buffer_.size()) buffer_[size_++] = c;
  }
  std::array<char, 512> buffer_;
  std::size_t size_ = 0;
};

void writeFirstLine(int number, const siginfo_t& info) {
  Line line;
  line.add("sub0: crash:");
  const CallFrame* const frame = CallFrame::current();
  if (frame == nullptr) {
    line.add(" in no plugin");
  } else {
    const CallSite& site = frame->site();
    line.addName(" plugin=", site.handler.plugin->id);
    line.addName(" handler=", site.handler.name);
    line.addName(" resource=", site.resource.empty() ? "-" : site.resource);
    line.add(" function=\"");
    line.add(frame->function());
    line.add("\"");
  }
  for (const CrashSignal& signal : kSignals) {
    if (signal.number != number) continue;
    line.addName(" signal=", signal.name);
    if (signal.has_address) {
      line.addNumber(" address=0x", reinterpret_cast<std::uintptr_t>(info.si_addr), 16);
    }
  }
  line.addNumber(" thread=", static_cast<std::uint64_t>(::gettid()), 10);
  line.write();
}

void onCrash(int number, siginfo_t* info, void* /*context*/) {
  if (is_reporting.test_and_set()) {  // another thread is at it, and ends the process
    for (;;) ::pause();
  }
  writeFirstLine(number, *info);
  ::signal(number, SIG_DFL);
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(kPatienceSeconds);
  static void* frames[kMaxFrames];
  ::backtrace_symbols_fd(frames, ::backtrace(frames, kMaxFrames), STDERR_FILENO);
  ::raise(number);  // blocked until this returns
}

class CrashStack {
 public:
  CrashStack() {
    stack_t before{};
    if (::sigaltstack(nullptr, &before) != 0 || (before.ss_flags & SS_DISABLE) == 0) return;
    void* const memory = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return;
    memory_ = memory;
    stack_t ours{};
    ours.ss_sp = memory_;
    ours.ss_size = kStackBytes;
    ::sigaltstack(&ours, nullptr);
  }
  ~CrashStack() {
    if (memory_ == nullptr) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
    ::munmap(memory_, kStackBytes);
  }
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace

void giveCrashStack() {
  if (!is_installed.load(std::memory_order_relaxed)) return;
  static thread_local CrashStack stack;
}

void installCrashReport() {
  void* warm_up[1];
  ::backtrace(warm_up, 1);  // loads the unwinder, which takes memory
  is_installed = true;
  giveCrashStack();
  struct sigaction action {};
  action.sa_sigaction = onCrash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  // A crash within the report ends the process at once: its signal is blocked.
  for (const CrashSignal& signal : kSignals) ::sigaddset(&action.sa_mask, signal.number);
  for (const CrashSignal& signal : kSignals) ::sigaction(signal.number, &action, nullptr);
}

}  // namespace sub0::plugin
