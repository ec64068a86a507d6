// Working memory that belongs to a thread. Allocating and freeing it in every operation would cost more than a small op.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>

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

  /** Memory for `count` values, not set to anything. @throws std::bad_alloc */
  template <class T>
  T* reserve(int64_t count) {
    const int64_t bytes = count * static_cast<int64_t>(sizeof(T)) + kAlignment;
    owner_ = 0;
    if (bytes > size_) {
      size_ = 0;
      memory_.reset();  // first, so that the old and the new memory are never there together
      memory_.reset(new char[bytes]);
      size_ = bytes;
    }
    return aligned<T>();
  }

  /** Memory that `fill` has written; it is called the first time that the operation `id` asks on this thread. */
  template <class T, class Fill>
  const T* filled(int64_t id, int64_t count, const Fill& fill) {
    if (owner_ == id) return aligned<T>();
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
  static constexpr int64_t kAlignment = 64;

  template <class T>
  T* aligned() const {
    return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(memory_.get()) + kAlignment - 1) & ~uintptr_t{kAlignment - 1});
  }

  std::unique_ptr<char[]> memory_;
  int64_t size_ = 0;
  int64_t owner_ = 0;
};

}  // namespace gnbench
