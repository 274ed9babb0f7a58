// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <unordered_map>

namespace sub0::query {

// The number of a statement's text, alive as long as a statement with that text is.
using StatementNumber = std::shared_ptr<const std::uint32_t>;

// When a map whose entries go stale is worth a sweep: it has doubled since the last one. So it
// holds at most twice what is in use (and a few), and a sweep costs each addition little.
class SweepMark {
 public:
  bool isDue(std::size_t size) const { return size >= due_; }
  void swept(std::size_t size) { due_ = std::max(kFewest, 2 * size); }

 private:
  static constexpr std::size_t kFewest = 64;
  std::size_t due_ = kFewest;
};

// Numbers for the texts of statements: the same text, the same number, for as long as a statement
// has that text. So a reload of the same resources finds what the connections have prepared
// already, and a text that no resource has any more is forgotten. THREAD: [control].
class StatementIndex {
 public:
  StatementNumber of(const std::string& sql) {
    if (marks_.isDue(numbers_.size())) {
      for (auto at = numbers_.begin(); at != numbers_.end();) {
        at = at->second.expired() ? numbers_.erase(at) : std::next(at);
      }
      marks_.swept(numbers_.size());
    }
    std::weak_ptr<const std::uint32_t>& known = numbers_[sql];
    StatementNumber number = known.lock();
    if (number == nullptr) {
      number = std::make_shared<const std::uint32_t>(next_++);
      known = number;
    }
    return number;
  }
  std::size_t size() const { return numbers_.size(); }

 private:
  std::unordered_map<std::string, std::weak_ptr<const std::uint32_t>> numbers_;
  SweepMark marks_;
  std::uint32_t next_ = 0;
};

// What one connection has prepared, by the number of the statement's text. What no statement can
// use any more is given up. THREAD: the connection's.
template <typename Entry>
class PreparedStatements {
 public:
  // The entry of that text, made on first use; `give_up` gets the number and entry of those that
  // go.
  template <typename GiveUp>
  Entry& of(const StatementNumber& number, GiveUp&& give_up) {
    const auto found = entries_.find(*number);
    if (found != entries_.end()) {
      return found->second.entry;
    }
    if (marks_.isDue(entries_.size())) {
      for (auto at = entries_.begin(); at != entries_.end();) {
        if (at->second.number.expired()) {
          give_up(at->first, at->second.entry);
          at = entries_.erase(at);
        } else {
          ++at;
        }
      }
      marks_.swept(entries_.size());
    }
    Kept& kept = entries_[*number];
    kept.number = number;
    return kept.entry;
  }
  // Null: there is none.
  Entry* find(const StatementNumber& number) {
    const auto found = entries_.find(*number);
    return found == entries_.end() ? nullptr : &found->second.entry;
  }

  template <typename Visit>
  void forEach(Visit&& visit) {
    for (auto& [number, kept] : entries_) {
      visit(kept.entry);
    }
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Kept {
    std::weak_ptr<const std::uint32_t> number;
    Entry entry;
  };
  std::unordered_map<std::uint32_t, Kept> entries_;
  SweepMark marks_;
};

}  // namespace sub0::query
