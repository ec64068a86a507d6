// Tasks over TensorFlow's own intra-op threads. What a task computes depends on its number alone, never on the thread
// that takes it, so results are the same for every number of threads.
#pragma once
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace gnbench {

/** Below this many bytes of traffic, waking a thread costs more than it saves. */
constexpr int64_t kWorthAThread = 192 << 10;

inline int threadsFor(tensorflow::OpKernelContext* context, int64_t bytes) {
  const int threads = context->device()->tensorflow_cpu_worker_threads()->num_threads;
  const int64_t useful = bytes / kWorthAThread + 1;
  return useful < threads ? static_cast<int>(useful) : threads;
}

/**
 * Runs body(0) … body(tasks - 1) on up to `threads` threads, this one among them, and returns when all are done. Each has
 * a share of the tasks that lie together, the same one at every call: so an image stays in the caches of one core from
 * operation to operation. A thread that finishes its share steals from the others; a helper that wakes up late finds
 * nothing left and is not waited for.
 */
template <class Body>
void parallel(tensorflow::OpKernelContext* context, int threads, int64_t tasks, const Body& body) {
  if (tasks < threads) threads = static_cast<int>(tasks);
  if (threads <= 1) {
    for (int64_t task = 0; task < tasks; task++) body(task);
    return;
  }
  struct Progress {
    explicit Progress(int shares) : next(shares) {}
    std::vector<std::atomic<int64_t>> next;  // of each share
    std::atomic<int64_t> done{0};
  };
  const auto progress = std::make_shared<Progress>(threads);
  const Body* shared = &body;  // outlives every task, though not every helper
  const auto work = [progress, shared, tasks, threads](int thread) {
    for (int i = 0; i < threads; i++) {
      const int share = (thread + i) % threads;
      const int64_t begin = tasks * share / threads, end = tasks * (share + 1) / threads;
      for (int64_t task; (task = begin + progress->next[share].fetch_add(1)) < end;) {
        (*shared)(task);
        progress->done.fetch_add(1, std::memory_order_release);
      }
    }
  };
  auto* workers = context->device()->tensorflow_cpu_worker_threads()->workers;
  for (int helper = 1; helper < threads; helper++)
    workers->ScheduleWithHint([work, helper] { work(helper); }, helper - 1, helper);
  work(0);
  for (int spins = 0; progress->done.load(std::memory_order_acquire) < tasks; spins++) {
    if (spins > 4000) std::this_thread::yield();
  }
}

/** Runs body(first, count) over pieces of `elements` values; each value moves `bytes` bytes. */
template <class Body>
void parallelElements(tensorflow::OpKernelContext* context, int64_t elements, int64_t bytes, const Body& body) {
  constexpr int64_t kChunk = 16384;
  parallel(context, threadsFor(context, elements * bytes), (elements + kChunk - 1) / kChunk, [&](int64_t task) {
    const int64_t first = task * kChunk;
    body(first, elements - first < kChunk ? elements - first : kChunk);
  });
}

}  // namespace gnbench
