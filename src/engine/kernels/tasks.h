// Tasks shared out over threads. What a task computes depends on its number alone, never on the thread that takes it, so
// results are the same for every number of threads.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace gnbench {

/** The state of one set of tasks, shared with helpers that may wake up after the last task is done. */
class TaskProgress {
 public:
  TaskProgress(int shares, int64_t tasks) : tasks_(tasks), next_(shares) {}

  /** Runs tasks of the share `first` and then of the others, until none is left. */
  template <class Body>
  void work(int first, const Body& body) {
    const int shares = static_cast<int>(next_.size());
    for (int i = 0; i < shares; i++) {
      const int share = (first + i) % shares;
      const int64_t begin = tasks_ * share / shares, end = tasks_ * (share + 1) / shares;
      for (int64_t task; (task = begin + next_[share].fetch_add(1)) < end;) {
        try {
          if (!failed_.load(std::memory_order_relaxed)) body(task);
        } catch (...) {
          keepFailure(std::current_exception());
        }
        if (done_.fetch_add(1) + 1 == tasks_ && waiting_.load()) {
          const std::lock_guard<std::mutex> lock(mutex_);
          finished_.notify_one();
        }
      }
    }
  }

  /** Returns when all tasks are done. @throws what the first failed task threw */
  void wait() {
    // Most helpers are done within microseconds, sooner than a sleeping thread wakes up. One that is still at work after
    // the yields has not been given a core, and needs this one.
    constexpr int kSpins = 4000, kYields = 400;
    for (int i = 0; i < kSpins + kYields && done_.load() < tasks_; i++)
      if (i >= kSpins) std::this_thread::yield();
    if (done_.load() < tasks_) {
      std::unique_lock<std::mutex> lock(mutex_);
      waiting_.store(true);
      finished_.wait(lock, [&] { return done_.load() == tasks_; });
    }
    if (failed_.load()) std::rethrow_exception(failure_);
  }

 private:
  void keepFailure(std::exception_ptr failure) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!failed_.load()) failure_ = failure;
    failed_.store(true);
  }

  const int64_t tasks_;
  std::vector<std::atomic<int64_t>> next_;  // of each share
  std::atomic<int64_t> done_{0};
  std::atomic<bool> failed_{false}, waiting_{false};
  std::mutex mutex_;
  std::condition_variable finished_;
  std::exception_ptr failure_;
};

/**
 * Runs body(0) … body(tasks - 1) on up to `threads` threads, this one among them, and returns when all are done. Each has
 * a share of the tasks that lie together, the same one at every call: so an image stays in the caches of one core from
 * operation to operation. A thread that finishes its share steals from the others; a helper that wakes up late finds
 * nothing left and is not waited for. `schedule(helper, closure)` hands a closure to a thread.
 * @throws what the first failed task threw; tasks that had not begun by then are left out
 */
template <class Schedule, class Body>
void runTasks(const Schedule& schedule, int threads, int64_t tasks, const Body& body) {
  if (tasks < threads) threads = static_cast<int>(tasks);
  if (threads <= 1) {
    for (int64_t task = 0; task < tasks; task++) body(task);
    return;
  }
  const auto progress = std::make_shared<TaskProgress>(threads, tasks);
  const Body* shared = &body;  // outlives every task, though not every helper
  try {
    for (int helper = 1; helper < threads; helper++)
      schedule(helper, [progress, shared, helper] { progress->work(helper, *shared); });
  } catch (...) {  // with fewer helpers, or none, this thread takes their tasks
  }
  progress->work(0, body);
  progress->wait();
}

}  // namespace gnbench
