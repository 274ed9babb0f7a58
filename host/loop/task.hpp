// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sub0::loop {

/// Something that a loop runs later: the node of an intrusive list, embedded in its owner, so that
/// queueing cannot fail and allocates nothing. On at most one list at a time. OWNERSHIP: the
/// owner's; it must not die while is_queued.
class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual void run() = 0;
  bool isQueued() const { return is_queued_; }

 protected:
  virtual ~Task() = default;

 private:
  friend class TaskList;
  Task* next_ = nullptr;
  bool is_queued_ = false;
};

/// First in, first out; one thread.
class TaskList {
 public:
  bool empty() const { return head_ == nullptr; }

  /// No effect if the task is queued already.
  void push(Task& task) {
    if (task.is_queued_) return;
    task.is_queued_ = true;
    task.next_ = nullptr;
    (tail_ != nullptr ? tail_->next_ : head_) = &task;
    tail_ = &task;
  }

  Task* pop() {
    Task* task = head_;
    if (task == nullptr) return nullptr;
    head_ = task->next_;
    if (head_ == nullptr) tail_ = nullptr;
    task->is_queued_ = false;
    return task;
  }

  /// Runs what is queued now; what is queued meanwhile stays for the next round. True: something
  /// ran.
  bool runQueued() {
    TaskList batch;
    batch.head_ = head_;
    batch.tail_ = tail_;
    head_ = tail_ = nullptr;
    bool has_run = false;
    while (Task* task = batch.pop()) {
      has_run = true;
      task->run();
    }
    return has_run;
  }

 private:
  Task* head_ = nullptr;
  Task* tail_ = nullptr;
};

}  // namespace sub0::loop
