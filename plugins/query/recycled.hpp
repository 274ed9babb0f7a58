// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <new>

namespace sub0::query {

// Base of objects of which each call needs one for a while, and many are alive at a time: their
// memory comes from a short list of what the thread has freed of the same type, so that the next
// one costs no allocation. What is freed on another thread than the one that made it goes to that
// thread's list; lists end with their threads. REQUIRES: nothing is derived from `Object`.
template <typename Object, std::size_t kLongestList = 64>
class Recycled {
 public:
  static void* operator new(std::size_t size) {
    List& list = list_;  // once: each look for it costs a call
    Free* const taken = list.first;
    if (taken == nullptr) {
      return ::operator new(size);
    }
    list.first = taken->next;
    --list.count;
    return taken;
  }
  static void operator delete(void* memory) noexcept {
    List& list = list_;
    if (list.count >= kLongestList) {
      ::operator delete(memory);
      return;
    }
    list.first = new (memory) Free{list.first};
    ++list.count;
  }

 protected:
  ~Recycled() = default;

 private:
  struct Free {
    Free* next;
  };
  struct List {
    ~List() {
      while (first != nullptr) {
        Free* const next = first->next;
        ::operator delete(first);
        first = next;
      }
      count = kLongestList;  // what is freed from now on is not kept
    }
    Free* first = nullptr;
    std::size_t count = 0;
  };
  static thread_local inline List list_;
};

}  // namespace sub0::query
