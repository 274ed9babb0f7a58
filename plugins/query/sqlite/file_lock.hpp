// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sub0::query {

// One host per database file: two would share neither their groups of writes nor their care of the
// log, and run the same jobs twice. The lock lies on a file beside the database (`.sub0-lock`), not
// on the database, whose own locks would be lost when a further descriptor of it is closed. It goes
// with the process, also by kill -9; the file stays, and says nothing. Tools that open the
// database for a moment do not take it. THREAD: [control].
class FileLock {
 public:
  FileLock() = default;
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // False and a text for the operator where another process holds it, or it cannot be made.
  bool take(const std::string& database_path, std::string& error);

 private:
  int descriptor_ = -1;
};

}  // namespace sub0::query
