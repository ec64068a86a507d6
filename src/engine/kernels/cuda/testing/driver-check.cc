// Calls the driver as operations do; testing/launching-driver.c says what arrives.
#include <cstdio>
#include <cstdlib>

#include "cuda/driver.h"

int main() {
  using gnbench::cuda::Driver;
  const auto attempt = [](const char* file, const char* kernel, gnbench::cuda::Grid grid) {
    try {
      int argument = 42;
      Driver::get().launch(file, kernel, grid, 128, &argument, reinterpret_cast<void*>(7));
    } catch (const std::exception& error) {
      std::printf("%s\n", error.what());
    }
  };
  try {
    Driver::get().provide("first", "image of the first");
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 0;
  }
  attempt("first", "add", {4, 3, 2});
  attempt("first", "add", {5});
  attempt("first", "multiply", {1});
  attempt("second", "subtract", {1});
  attempt("first", "missing", {1});
  attempt("first", "broken", {1});
  Driver::get().upload(reinterpret_cast<void*>(16), "table", 5, reinterpret_cast<void*>(7));
  setenv("GNBENCH_TEST_CONTEXT", "2", 1);
  attempt("first", "add", {6});
}
