// How many blocks a kernel is launched with.
#pragma once
#include <cstdint>

namespace gnbench::cuda {

struct Grid {
  int64_t x = 1, y = 1, z = 1;
};

constexpr int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace gnbench::cuda
