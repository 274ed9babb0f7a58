// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/random.hpp"

namespace sub0::powercut {

using simulation::Random;

// The files of one folder: name → bytes.
using Image = std::map<std::string, std::string>;

// What a disk has promised to keep, and what it has merely been told. A real disk loses the second
// when the power goes, and no test can wait for that. This one writes down what was written since
// each file's last sync, and after a cut makes one of the folders that may then be found:
// - of every unsynced write each sector survives or not, whatever was written before or after it;
//   so does each truncation; a hole that is left holds zeros, or what lay on the disk before.
// - one sector of the last write is torn: its beginning is new, the rest old, or, on a disk that is
//   not `is_power_safe`, neither, beyond the bytes that were written too.
// - a name that was made or removed since the folder's last sync stands for any of the files that
// it
//   stood for since. The folder is synced by the first sync of a journal or log that was opened to
//   be made, and by a removal that asks for it: what SQLite's "unix" does, and no more than that.
// It fails operations as well: from the n-th write or sync on, once or until it is mended.
// THREAD: any. It keeps no file that is read: the VFS does that, in a folder of the test's own.
class Disk {
 public:
  struct Kind {
    std::size_t sector_bytes = 4096;
    bool is_power_safe = true;  // a torn sector keeps the bytes beside those that were written
  };
  enum class Operation { kWrite, kSync, kOther };
  struct Fault {
    Operation operation = Operation::kOther;
    std::uint64_t nth = 0;  // of that operation, from now; 0: never
    int code = 0;
    bool lasts = false;  // until it is mended
  };
  struct Change {
    bool is_truncation = false;
    std::size_t offset = 0;  // of a truncation: the new size
    std::string bytes;
  };
  struct Inode {
    std::string synced;
    std::vector<Change> unsynced;
  };
  struct Written {
    int code;
    std::size_t bytes;  // that are to be written, before `code` is returned
  };

  Disk(Kind kind, const Image& image);

  // The power goes in the n-th operation from now (writes, syncs, truncations, makings, removals).
  void cutAt(std::uint64_t nth);
  void cut();
  bool hasPower() const;
  std::uint64_t operations() const;
  // One of the folders that may be found after a cut, by chance.
  Image survivors(Random& chance) const;
  // The one where nothing survives that was not synced.
  Image synced() const;

  void inject(const Fault& fault);
  void mend();
  bool hasFaulted() const;

  // What the VFS does next; SQLITE_OK: it may. The inode of a name, made where it may be and is not
  // there; null: it is not there, or there is no power.
  Inode* open(const std::string& name, bool may_make);
  Written write(Inode& inode, std::string_view bytes, std::size_t offset);
  int truncate(Inode& inode, std::size_t size);
  int sync(Inode& inode, bool syncs_folder);
  int remove(const std::string& name, bool syncs_folder);

  const Kind& kind() const { return kind_; }

 private:
  // The power goes now.
  bool losesPower();
  int faultOf(Operation operation);
  void syncFolder();
  std::string survivorOf(const Inode& inode, std::uint64_t percent, Random& chance) const;
  void tear(std::string& bytes, const Change& change, std::size_t begin, std::size_t end,
            Random& chance) const;

  const Kind kind_;
  mutable std::mutex mutex_;
  std::list<Inode> inodes_;
  // What each name stood for since the folder's last sync, the present last; null: nothing.
  std::map<std::string, std::vector<Inode*>> folder_;
  const Inode* last_written_ = nullptr;
  std::uint64_t operations_ = 0;
  std::uint64_t cut_at_ = 0;
  bool has_power_ = true;
  Fault fault_;
  std::uint64_t fault_count_ = 0;
};

}  // namespace sub0::powercut
