// Working memory that belongs to a thread. Allocating and freeing it in every operation would cost more than a small op.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

namespace gnbench {

/** The purposes that memory is kept for: a task's own data, or weights and sums that all tasks of an op on this thread use. */
enum Memory { kTaskMemory, kSumMemory, kPackedMemory, kTransposedMemory };

/** Memory for one purpose: it grows when needed, and stays until the thread ends. It is aligned to cache lines. */
class ThreadMemory {
 public:
  template <Memory kUse>
  static ThreadMemory& get() {
    static thread_local ThreadMemory memory;
    return memory;
  }

  template <class T>
  T* reserve(int64_t count) {
    const int64_t bytes = count * static_cast<int64_t>(sizeof(T)) + 64;
    if (static_cast<int64_t>(memory_.size()) < bytes) memory_ = std::vector<char>(bytes);
    owner_ = 0;
    return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(memory_.data()) + 63) & ~uintptr_t{63});
  }

  /** Memory that `fill` has written; it is called the first time that the operation `id` asks on this thread. */
  template <class T, class Fill>
  const T* filled(int64_t id, int64_t count, const Fill& fill) {
    if (owner_ == id) return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(memory_.data()) + 63) & ~uintptr_t{63});
    T* memory = reserve<T>(count);
    fill(memory);
    owner_ = id;
    return memory;
  }

  /** A number for one run of one operation; never 0. */
  static int64_t newId() {
    static std::atomic<int64_t> last{0};
    return ++last;
  }

 private:
  std::vector<char> memory_;
  int64_t owner_ = 0;
};

}  // namespace gnbench
