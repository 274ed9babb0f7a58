// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/powercut/disk_vfs.hpp"
#include "tests/support/loop_host.hpp"

namespace sub0::powercut {

// A folder in memory where there is one, gone when this is.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // Empties it, then writes these files.
  void fill(const Image& image) const;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

constexpr const char* kDatabaseName = "app.db";

// A database with the whole schema, as a plain sqlite3 leaves it.
const Image& emptyDatabase();

// One life of the query plugin, from its start to its end, on a disk that holds these files. Others
// may use the file as well (checkpoint). One at a time; THREAD: the test's.
class Life {
 public:
  // `log_pages`: how many pages the log may have before a commit moves it into the database file.
  Life(const Folder& folder, const Image& image, Disk::Kind kind, int log_pages);
  ~Life();
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  bool start();
  // Stops and destroys the plugin, whose files are then closed. Runs that have not ended exactly
  // once are told in `errors`.
  void end(std::string& errors);
  // By a connection of its own: PASSIVE, FULL, RESTART or TRUNCATE.
  void checkpoint(const std::string& mode);

  // An action with that statement. REQUIRES: before start.
  testing::LoopAction& prepare(const std::string& sql, std::size_t parameters);
  sub0_ticket begin(testing::LoopAction& action, const std::vector<Tree>& values);
  sub0_ticket beginInCall(std::uint64_t call, testing::LoopAction& action,
                          const std::vector<Tree>& values);
  sub0_ticket beginCommit(std::uint64_t call);
  testing::LoopHost& host() { return *host_; }
  Disk& disk() { return disk_; }
  Gate& gate() { return vfs_.gate(); }

 private:
  std::string file_;
  Disk disk_;
  DiskVfs vfs_;
  std::unique_ptr<testing::LoopHost> host_;
  std::vector<std::unique_ptr<testing::LoopAction>> actions_;
  std::vector<sub0_ticket> tickets_;
};

}  // namespace sub0::powercut
