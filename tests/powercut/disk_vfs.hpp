// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "tests/powercut/disk.hpp"

namespace sub0::powercut {

// Holds up the thread that writes, so that a test decides what waits for it meanwhile: without it,
// how many runs share a commit would differ from time to time. THREAD: the one that made it opens
// and closes and is never held up itself.
class Gate {
 public:
  void close();
  void open();
  // Whether somebody has come, within that time.
  bool hasArrival(std::chrono::milliseconds limit);
  void pass();

 private:
  const std::thread::id owner_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_closed_ = false;
  bool has_arrival_ = false;
};

// SQLite's default VFS as long as it lives: "unix" in a folder of the test's own, where each write,
// sync, truncation, making and removal of a database, log or journal is told to a Disk first and
// done only as that says. Nothing is really synced, the disk keeps what would be there. Without
// power everything fails. The -shm file and temporary files are no part of the disk. Outlives every
// connection; one at a time.
class DiskVfs {
 public:
  explicit DiskVfs(Disk& disk);
  ~DiskVfs();
  DiskVfs(const DiskVfs&) = delete;
  DiskVfs& operator=(const DiskVfs&) = delete;

  Disk& disk() { return disk_; }
  Gate& gate() { return gate_; }
  sqlite3_vfs& real() { return *real_; }

 private:
  Disk& disk_;
  Gate gate_;
  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
};

}  // namespace sub0::powercut
