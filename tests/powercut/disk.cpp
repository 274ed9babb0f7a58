// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/disk.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace sub0::powercut {
namespace {

// What lay on the disk before, or zeros.
std::string filling(std::size_t size, bool is_garbage, Random& chance) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; is_garbage && i < size; ++i) {
    bytes[i] = static_cast<char>(chance.below(256));
  }
  return bytes;
}

void put(std::string& bytes, std::size_t offset, std::string_view piece, bool is_garbage,
         Random& chance) {
  if (bytes.size() < offset) {
    bytes += filling(offset - bytes.size(), is_garbage, chance);
  }
  bytes.resize(std::max(bytes.size(), offset + piece.size()));
  bytes.replace(offset, piece.size(), piece);
}

}  // namespace

Disk::Disk(Kind kind, const Image& image) : kind_(kind) {
  for (const auto& [name, bytes] : image) {
    inodes_.push_back({bytes, {}});
    folder_[name] = {&inodes_.back()};
  }
}

void Disk::cutAt(std::uint64_t nth) {
  const std::lock_guard lock(mutex_);
  cut_at_ = operations_ + nth;
}

void Disk::cut() {
  const std::lock_guard lock(mutex_);
  has_power_ = false;
}

bool Disk::hasPower() const {
  const std::lock_guard lock(mutex_);
  return has_power_;
}

std::uint64_t Disk::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

void Disk::inject(const Fault& fault) {
  const std::lock_guard lock(mutex_);
  fault_ = fault;
  fault_count_ = 0;
}

void Disk::mend() { inject(Fault{}); }

bool Disk::hasFaulted() const {
  const std::lock_guard lock(mutex_);
  return fault_.nth > 0 && fault_count_ >= fault_.nth;
}

bool Disk::losesPower() {
  if (++operations_ == cut_at_) {
    has_power_ = false;
  }
  return !has_power_;
}

int Disk::faultOf(Operation operation) {
  if (operation != fault_.operation || fault_.nth == 0) {
    return SQLITE_OK;
  }
  ++fault_count_;
  const bool is_hit = fault_.lasts ? fault_count_ >= fault_.nth : fault_count_ == fault_.nth;
  return is_hit ? fault_.code : SQLITE_OK;
}

Disk::Inode* Disk::open(const std::string& name, bool may_make) {
  const std::lock_guard lock(mutex_);
  if (!has_power_) {
    return nullptr;
  }
  std::vector<Inode*>& states = folder_[name];
  if (states.empty()) {
    states.push_back(nullptr);
  }
  if (states.back() == nullptr && may_make) {
    inodes_.emplace_back();
    states.push_back(&inodes_.back());
    if (losesPower()) {
      return nullptr;
    }
  }
  return states.back();
}

Disk::Written Disk::write(Inode& inode, std::string_view bytes, std::size_t offset) {
  const std::lock_guard lock(mutex_);
  if (!has_power_) {
    return {SQLITE_IOERR_WRITE, 0};
  }
  const int fault = faultOf(Operation::kWrite);
  if (fault != SQLITE_OK) {
    bytes = bytes.substr(0, bytes.size() / 2);  // a write that fails may have begun
  }
  inode.unsynced.push_back({false, offset, std::string(bytes)});
  last_written_ = &inode;
  if (losesPower()) {
    return {SQLITE_IOERR_WRITE, 0};
  }
  return {fault, bytes.size()};
}

int Disk::truncate(Inode& inode, std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (!has_power_) {
    return SQLITE_IOERR_TRUNCATE;
  }
  inode.unsynced.push_back({true, size, {}});
  return losesPower() ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

int Disk::sync(Inode& inode, bool syncs_folder) {
  const std::lock_guard lock(mutex_);
  if (!has_power_ || losesPower()) {
    return SQLITE_IOERR_FSYNC;
  }
  const int fault = faultOf(Operation::kSync);
  if (fault != SQLITE_OK) {
    // Linux says so once and then takes the pages for clean: another sync would end well.
    inode.unsynced.clear();
    return fault;
  }
  Random nothing(0);
  for (const Change& change : inode.unsynced) {
    if (change.is_truncation) {
      inode.synced.resize(std::min(inode.synced.size(), change.offset));
    } else {
      put(inode.synced, change.offset, change.bytes, false, nothing);
    }
  }
  inode.unsynced.clear();
  if (syncs_folder) {
    syncFolder();
  }
  return SQLITE_OK;
}

int Disk::remove(const std::string& name, bool syncs_folder) {
  const std::lock_guard lock(mutex_);
  if (!has_power_) {
    return SQLITE_IOERR_DELETE;
  }
  const auto found = folder_.find(name);
  if (found == folder_.end() || found->second.back() == nullptr) {
    return SQLITE_IOERR_DELETE_NOENT;
  }
  found->second.push_back(nullptr);
  if (losesPower()) {
    return SQLITE_IOERR_DELETE;
  }
  if (syncs_folder) {
    syncFolder();
  }
  return SQLITE_OK;
}

void Disk::syncFolder() {
  for (auto& [name, states] : folder_) {
    states = {states.back()};
  }
}

Image Disk::synced() const {
  const std::lock_guard lock(mutex_);
  Image image;
  for (const auto& [name, states] : folder_) {
    if (states.front() != nullptr) {
      image[name] = states.front()->synced;
    }
  }
  return image;
}

Image Disk::survivors(Random& chance) const {
  const std::lock_guard lock(mutex_);
  constexpr std::uint64_t kPercents[] = {0, 10, 50, 90, 100};
  const std::uint64_t percent = kPercents[chance.below(std::size(kPercents))];
  Image image;
  for (const auto& [name, states] : folder_) {
    const Inode* inode = states[chance.below(states.size())];
    if (inode != nullptr) {
      image[name] = survivorOf(*inode, percent, chance);
    }
  }
  return image;
}

std::string Disk::survivorOf(const Inode& inode, std::uint64_t percent, Random& chance) const {
  std::string bytes = inode.synced;
  const bool is_garbage = chance.percent(50);
  const bool has_last = &inode == last_written_;
  for (const Change& change : inode.unsynced) {
    if (change.is_truncation) {
      if (chance.percent(percent)) {
        bytes.resize(std::min(bytes.size(), change.offset));
      }
      continue;
    }
    const std::size_t end = change.offset + change.bytes.size();
    const std::size_t first_sector = change.offset / kind_.sector_bytes;
    const std::size_t sectors = (end + kind_.sector_bytes - 1) / kind_.sector_bytes - first_sector;
    const bool is_last = has_last && &change == &inode.unsynced.back();
    const std::size_t torn = is_last ? first_sector + chance.below(sectors) : SIZE_MAX;
    for (std::size_t sector = first_sector; sector < first_sector + sectors; ++sector) {
      const std::size_t from = std::max(sector * kind_.sector_bytes, change.offset);
      const std::size_t to = std::min((sector + 1) * kind_.sector_bytes, end);
      if (sector == torn) {
        tear(bytes, change, from, to, chance);
      } else if (chance.percent(percent)) {
        put(bytes, from, std::string_view(change.bytes).substr(from - change.offset, to - from),
            is_garbage, chance);
      }
    }
  }
  return bytes;
}

void Disk::tear(std::string& bytes, const Change& change, std::size_t begin, std::size_t end,
                Random& chance) const {
  const std::size_t kept = chance.below(end - begin + 1);
  put(bytes, begin, std::string_view(change.bytes).substr(begin - change.offset, kept), false,
      chance);
  if (!kind_.is_power_safe) {
    const std::size_t sector_end = (begin / kind_.sector_bytes + 1) * kind_.sector_bytes;
    const std::size_t until = std::min(sector_end, std::max(bytes.size(), end));
    put(bytes, begin + kept, filling(until - begin - kept, true, chance), false, chance);
  }
}

}  // namespace sub0::powercut
