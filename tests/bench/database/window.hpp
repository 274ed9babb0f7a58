// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <vector>

#include "tests/bench/socket_calls.hpp"

// The part of a run that is measured: it begins after a fifth of the time, when everything is warm,
// and ends with the time. What processes used within it is read from their CPU clocks, which count
// all their threads, ended ones too. THREAD: one. It measures no single call.
namespace sub0::bench {

/// CPU time of a process since its start; 0 is the caller.
inline double cpuSeconds(pid_t process) {
  clockid_t clock{};
  require(::clock_getcpuclockid(process, &clock) == 0, "no process with this id");
  timespec time{};
  require(::clock_gettime(clock, &time) == 0, "clock_gettime");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

class Window {
 public:
  /// `processes`: whose CPU time counts.
  Window(double seconds, std::vector<pid_t> processes)
      : processes_(std::move(processes)),
        start_(std::chrono::steady_clock::now()),
        opens_s_(seconds / 5),
        closes_s_(seconds) {}

  /// True until the time is over; `done`: what has been done so far. To be asked often.
  bool look(std::uint64_t done) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
    if (!is_open_ && elapsed.count() >= opens_s_) {
      is_open_ = true;
      first_ = take(elapsed.count(), done);
    }
    if (elapsed.count() < closes_s_) return true;
    last_ = take(elapsed.count(), done);
    require(is_open_ && count() > 0, "nothing was done in the measured part");
    return false;
  }

  std::uint64_t count() const { return last_.done - first_.done; }
  double seconds() const { return last_.elapsed_s - first_.elapsed_s; }
  /// Of process `i`, for each thing done.
  double cpuMicroseconds(std::size_t i) const {
    return (last_.cpu_s[i] - first_.cpu_s[i]) * 1e6 / static_cast<double>(count());
  }

 private:
  struct Mark {
    double elapsed_s = 0;
    std::uint64_t done = 0;
    std::vector<double> cpu_s;
  };

  Mark take(double elapsed_s, std::uint64_t done) const {
    Mark mark{elapsed_s, done, {}};
    for (const pid_t process : processes_) mark.cpu_s.push_back(cpuSeconds(process));
    return mark;
  }

  std::vector<pid_t> processes_;
  std::chrono::steady_clock::time_point start_;
  double opens_s_;
  double closes_s_;
  bool is_open_ = false;
  Mark first_;
  Mark last_;
};

}  // namespace sub0::bench
