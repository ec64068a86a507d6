// Runs CUDA C++ on the CPU, for tests: blocks one after the other, a block's threads as fibers that change at
// __syncthreads. Between two of those the threads run one after the other in an order that is another each time, so that a
// result which depends on a barrier that is not there comes out wrong; shared memory begins as NaNs.
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#define __global__
#define __device__
#define __launch_bounds__(threads)
#define __shared__ static __attribute__((section("emulated_shared")))

extern "C" char __start_emulated_shared[], __stop_emulated_shared[];

using std::max;
using std::min;

inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

namespace emulation {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};

inline Index threadIndex, blockIndex, blockSize, gridSize;

/** The threads of a block, which serve one block after the other. They change by longjmp: a change costs nanoseconds. */
class Threads {
 public:
  Threads(int count, void (*kernel)(const void*), const void* arguments)
      : fibers_(count), stacks_(new char[count * kStack]), kernel_(kernel), arguments_(arguments) {
    current() = this;
    for (size_t i = 0; i < fibers_.size(); i++) {
      ucontext_t& start = fibers_[i].start;
      getcontext(&start);
      start.uc_stack.ss_sp = stacks_.get() + i * kStack;
      start.uc_stack.ss_size = kStack;
      makecontext(&start, &Threads::work, 0);
    }
  }

  void runBlock() {
    std::memset(__start_emulated_shared, 0xff, __stop_emulated_shared - __start_emulated_shared);
    const size_t count = fibers_.size();
    for (size_t ended = 0; ended < count;) {
      ended = 0;
      const size_t start = random() % count, backwards = random() % 2;
      for (size_t i = 0; i < count; i++) {
        running_ = (backwards ? 2 * count - 1 - i + start : i + start) % count;
        threadIndex.x = static_cast<unsigned>(running_);
        resume(fibers_[running_]);
        ended += fibers_[running_].ended;
      }
      if (ended != 0 && ended != count) throw std::runtime_error("not all threads of a block reach a __syncthreads");
    }
  }

  static void barrier() { current()->suspend(false); }

 private:
  struct Fiber {
    ucontext_t start;
    jmp_buf here;
    bool started = false, ended = false;
  };
  static constexpr size_t kStack = 32 << 10;

  static Threads*& current() {
    static Threads* threads = nullptr;
    return threads;
  }
  static void work() {
    Threads& threads = *current();
    for (;;) {
      threads.kernel_(threads.arguments_);
      threads.suspend(true);
    }
  }
  __attribute__((noinline)) void resume(Fiber& fiber) {
    if (_setjmp(scheduler_) != 0) return;
    if (fiber.started) _longjmp(fiber.here, 1);
    fiber.started = true;
    setcontext(&fiber.start);
  }
  __attribute__((noinline)) void suspend(bool ended) {
    Fiber& fiber = fibers_[running_];
    fiber.ended = ended;
    if (_setjmp(fiber.here) == 0) _longjmp(scheduler_, 1);
  }
  unsigned random() { return (seed_ = seed_ * 1664525u + 1013904223u) >> 16; }

  std::vector<Fiber> fibers_;
  std::unique_ptr<char[]> stacks_;
  jmp_buf scheduler_;
  size_t running_ = 0;
  unsigned seed_ = 1;
  void (*kernel_)(const void*);
  const void* arguments_;
};

inline void launch(Index grid, int threads, void (*kernel)(const void*), const void* arguments) {
  static std::mutex one;
  const std::lock_guard<std::mutex> lock(one);
  gridSize = grid;
  blockSize = {static_cast<unsigned>(threads), 1, 1};
  Threads block(threads, kernel, arguments);
  for (blockIndex.z = 0; blockIndex.z < grid.z; blockIndex.z++)
    for (blockIndex.y = 0; blockIndex.y < grid.y; blockIndex.y++)
      for (blockIndex.x = 0; blockIndex.x < grid.x; blockIndex.x++) block.runBlock();
}

}  // namespace emulation

#define threadIdx emulation::threadIndex
#define blockIdx emulation::blockIndex
#define blockDim emulation::blockSize
#define gridDim emulation::gridSize
#define __syncthreads emulation::Threads::barrier
