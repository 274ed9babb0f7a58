// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/disk_vfs.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace sub0::powercut {
namespace {

// What sqlite3_file points to; the file of "unix" lies behind it. SQLite aligns it to 8 bytes.
struct OpenFile {
  sqlite3_file base;
  DiskVfs* vfs;
  Disk::Inode* inode;  // null: no part of the disk
  bool syncs_folder;   // with its next sync
};

OpenFile& of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }

sqlite3_file* realOf(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(OpenFile));
}

const sqlite3_io_methods& real(sqlite3_file* file) { return *realOf(file)->pMethods; }

bool hasPower(sqlite3_file* file) { return of(file).vfs->disk().hasPower(); }

std::string nameOf(const char* path) {
  const std::string_view whole(path);
  return std::string(whole.substr(whole.rfind('/') + 1));
}

int onClose(sqlite3_file* file) { return real(file).xClose(realOf(file)); }

int onRead(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
  return hasPower(file) ? real(file).xRead(realOf(file), bytes, count, offset) : SQLITE_IOERR_READ;
}

int onWrite(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  Disk::Written written{hasPower(file) ? SQLITE_OK : SQLITE_IOERR_WRITE,
                        static_cast<std::size_t>(count)};
  if (of(file).inode != nullptr) {
    of(file).vfs->gate().pass();
    const std::string_view text(static_cast<const char*>(bytes), written.bytes);
    written = of(file).vfs->disk().write(*of(file).inode, text, static_cast<std::size_t>(offset));
  }
  if (written.code != SQLITE_OK && written.bytes == 0) {
    return written.code;
  }
  const int done = real(file).xWrite(realOf(file), bytes, static_cast<int>(written.bytes), offset);
  return done == SQLITE_OK ? written.code : done;
}

int onTruncate(sqlite3_file* file, sqlite3_int64 size) {
  int code = hasPower(file) ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
  if (of(file).inode != nullptr) {
    code = of(file).vfs->disk().truncate(*of(file).inode, static_cast<std::size_t>(size));
  }
  return code == SQLITE_OK ? real(file).xTruncate(realOf(file), size) : code;
}

int onSync(sqlite3_file* file, int) {
  OpenFile& open = of(file);
  if (open.inode == nullptr) {
    return hasPower(file) ? SQLITE_OK : SQLITE_IOERR_FSYNC;
  }
  const int code = open.vfs->disk().sync(*open.inode, open.syncs_folder);
  open.syncs_folder = open.syncs_folder && code != SQLITE_OK;
  return code;
}

int onFileSize(sqlite3_file* file, sqlite3_int64* size) {
  return hasPower(file) ? real(file).xFileSize(realOf(file), size) : SQLITE_IOERR_FSTAT;
}

int onLock(sqlite3_file* file, int level) {
  return hasPower(file) ? real(file).xLock(realOf(file), level) : SQLITE_IOERR_LOCK;
}

int onUnlock(sqlite3_file* file, int level) { return real(file).xUnlock(realOf(file), level); }

int onCheckReservedLock(sqlite3_file* file, int* result) {
  return real(file).xCheckReservedLock(realOf(file), result);
}

int onFileControl(sqlite3_file* file, int operation, void* argument) {
  return real(file).xFileControl(realOf(file), operation, argument);
}

int onSectorSize(sqlite3_file* file) {
  return static_cast<int>(of(file).vfs->disk().kind().sector_bytes);
}

int onDeviceCharacteristics(sqlite3_file* file) {
  return of(file).vfs->disk().kind().is_power_safe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

int onShmMap(sqlite3_file* file, int page, int size, int may_extend, void volatile** memory) {
  return hasPower(file) ? real(file).xShmMap(realOf(file), page, size, may_extend, memory)
                        : SQLITE_IOERR_SHMMAP;
}

int onShmLock(sqlite3_file* file, int offset, int count, int flags) {
  const bool may = (flags & SQLITE_SHM_UNLOCK) != 0 || hasPower(file);
  return may ? real(file).xShmLock(realOf(file), offset, count, flags) : SQLITE_IOERR_SHMLOCK;
}

void onShmBarrier(sqlite3_file* file) { real(file).xShmBarrier(realOf(file)); }

int onShmUnmap(sqlite3_file* file, int is_removed) {
  return real(file).xShmUnmap(realOf(file), is_removed);
}

// Version 2: no mapping of the database file, whose reads have to fail as well.
constexpr sqlite3_io_methods kMethods = {
    2,
    &onClose,
    &onRead,
    &onWrite,
    &onTruncate,
    &onSync,
    &onFileSize,
    &onLock,
    &onUnlock,
    &onCheckReservedLock,
    &onFileControl,
    &onSectorSize,
    &onDeviceCharacteristics,
    &onShmMap,
    &onShmLock,
    &onShmBarrier,
    &onShmUnmap,
    nullptr,
    nullptr,
};

DiskVfs& vfsOf(sqlite3_vfs* vfs) { return *static_cast<DiskVfs*>(vfs->pAppData); }

int onOpen(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  DiskVfs& self = vfsOf(vfs);
  OpenFile& open = *new (file) OpenFile{{nullptr}, &self, nullptr, false};
  constexpr int kJournals = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;
  if (!self.disk().hasPower()) {
    return SQLITE_CANTOPEN;
  }
  if (path != nullptr && (flags & (SQLITE_OPEN_MAIN_DB | kJournals)) != 0) {
    const bool may_make = (flags & SQLITE_OPEN_CREATE) != 0;
    open.inode = self.disk().open(nameOf(path), may_make);
    open.syncs_folder = may_make && (flags & kJournals) != 0;
    if (open.inode == nullptr) {
      return SQLITE_CANTOPEN;
    }
  }
  const int code = self.real().xOpen(&self.real(), path, realOf(file), flags, flags_out);
  if (code == SQLITE_OK) {
    open.base.pMethods = &kMethods;
  }
  return code;
}

int onDelete(sqlite3_vfs* vfs, const char* path, int syncs_folder) {
  DiskVfs& self = vfsOf(vfs);
  const int code = self.disk().remove(nameOf(path), syncs_folder != 0);
  return code == SQLITE_OK ? self.real().xDelete(&self.real(), path, 0) : code;
}

int onAccess(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
  DiskVfs& self = vfsOf(vfs);
  return self.disk().hasPower() ? self.real().xAccess(&self.real(), path, flags, result)
                                : SQLITE_IOERR_ACCESS;
}

}  // namespace

void Gate::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  has_arrival_ = false;
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  is_closed_ = false;
  changed_.notify_all();
}

bool Gate::hasArrival(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] { return has_arrival_; });
}

void Gate::pass() {
  if (std::this_thread::get_id() == owner_) {
    return;
  }
  std::unique_lock lock(mutex_);
  has_arrival_ = has_arrival_ || is_closed_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !is_closed_; });
}

DiskVfs::DiskVfs(Disk& disk) : disk_(disk), real_(sqlite3_vfs_find("unix")), vfs_(*real_) {
  vfs_.szOsFile = static_cast<int>(sizeof(OpenFile)) + real_->szOsFile;
  vfs_.pNext = nullptr;
  vfs_.zName = "disk";
  vfs_.pAppData = this;
  vfs_.xOpen = &onOpen;
  vfs_.xDelete = &onDelete;
  vfs_.xAccess = &onAccess;
  if (sqlite3_vfs_register(&vfs_, 1) != SQLITE_OK) {
    std::abort();
  }
}

DiskVfs::~DiskVfs() { sqlite3_vfs_unregister(&vfs_); }

}  // namespace sub0::powercut
