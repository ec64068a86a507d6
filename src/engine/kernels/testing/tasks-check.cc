// Runs tasks on threads that begin late, sleep, and throw, and checks what the caller sees. Ends with status 1 if anything
// is wrong.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "tasks.h"

using gnbench::runTasks;
using Clock = std::chrono::steady_clock;

static int failures = 0;
static void expect(bool right, const char* what) {
  if (right) return;
  std::printf("wrong: %s\n", what);
  failures++;
}

/** Threads that each take one closure, and begin after `delay` milliseconds. */
class Threads {
 public:
  explicit Threads(int delay = 0) : delay_(delay) {}
  ~Threads() {
    for (std::thread& thread : threads_) thread.join();
  }
  template <class Closure>
  void operator()(int, Closure closure) const {
    threads_.emplace_back([closure, delay = delay_] {
      std::this_thread::sleep_for(std::chrono::milliseconds(delay));
      closure();
    });
  }

 private:
  const int delay_;
  mutable std::vector<std::thread> threads_;
};

static double processorSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

int main() {
  for (int threads = 1; threads <= 5; threads++) {
    for (const int64_t tasks : {0, 1, 2, 3, 64, 1000}) {
      std::vector<std::atomic<int>> runs(tasks);
      {
        const Threads pool;
        runTasks(pool, threads, tasks, [&](int64_t task) { runs[task]++; });
      }
      for (const auto& count : runs) expect(count == 1, "every task runs once");
    }
  }

  // A helper that begins long after all is done finds nothing left, and is not waited for.
  {
    const auto start = Clock::now();
    const Threads late(300);
    runTasks(late, 3, 30, [](int64_t) {});
    expect(Clock::now() - start < std::chrono::milliseconds(200), "a late helper is not waited for");
  }

  // Whichever thread throws, the caller sees it, once all tasks that had begun are over.
  for (const int64_t bad : {0, 5, 9}) {
    std::atomic<int> running{0};
    bool caught = false;
    {
      const Threads pool;
      try {
        runTasks(pool, 3, 10, [&](int64_t task) {
          running++;
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          running--;
          if (task == bad) throw std::bad_alloc();
        });
      } catch (const std::bad_alloc&) {
        caught = true;
        expect(running == 0, "no task is running when the caller goes on");
      }
    }
    expect(caught, "what a task throws reaches the caller");
  }

  // Threads that cannot be started leave their tasks to the caller.
  {
    std::atomic<int> runs{0};
    runTasks([](int, const auto&) { throw std::bad_alloc(); }, 4, 10, [&](int64_t) { runs++; });
    expect(runs == 10, "the caller does what no helper could be found for");
  }

  // The caller sleeps while a helper works on.
  {
    const Threads pool;
    std::atomic<bool> begun{false};
    const double before = processorSeconds();
    runTasks(pool, 2, 2, [&](int64_t task) {
      if (task == 1) begun = true, std::this_thread::sleep_for(std::chrono::milliseconds(500));
      while (!begun) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    expect(processorSeconds() - before < 0.03, "a caller that waits for half a second does not keep a core busy");
  }
  return failures > 0;
}
