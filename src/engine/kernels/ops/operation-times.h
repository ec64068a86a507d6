// How long each operation takes, while somebody wants to know: `gnbench bench --profile`.
#pragma once
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace gnbench {

class OperationTimes {
 public:
  struct Time {
    int64_t runs = 0;
    double seconds = 0;
  };

  static OperationTimes& get() {
    static OperationTimes times;
    return times;
  }

  void start() {
    const std::lock_guard<std::mutex> lock(mutex_);
    times_.clear();
    wanted_.store(true, std::memory_order_relaxed);
  }

  /** The times since `start`, by the names of nodes. */
  std::map<std::string, Time> stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    wanted_.store(false, std::memory_order_relaxed);
    return std::move(times_);
  }

  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }

  template <class Body>
  void measure(const std::string& name, const Body& body) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    const std::lock_guard<std::mutex> lock(mutex_);
    Time& time = times_[name];
    time.runs++;
    time.seconds += passed.count();
  }

 private:
  std::atomic<bool> wanted_{false};
  std::mutex mutex_;
  std::map<std::string, Time> times_;
};

}  // namespace gnbench
