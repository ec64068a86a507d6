// Tasks over TensorFlow's own intra-op threads.
#pragma once
#include "tasks.h"
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

/** Runs body(0) … body(tasks - 1) on up to `threads` of TensorFlow's threads: see runTasks. */
template <class Body>
void parallel(tensorflow::OpKernelContext* context, int threads, int64_t tasks, const Body& body) {
  auto* workers = context->device()->tensorflow_cpu_worker_threads()->workers;
  const auto schedule = [workers](int helper, auto closure) {
    workers->ScheduleWithHint(std::move(closure), helper - 1, helper);
  };
  runTasks(schedule, threads, tasks, body);
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
