// The rectifier on its own, behind no normalizer, with the residual before it.
#pragma once
#include "loops.h"
#include "vector.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Calls `body(first, vectors' width)` for whole vectors, then for the values that are left. */
template <class Body>
GNBENCH_INLINE void eachVector(int64_t count, Body body) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) body(Block<1, false>{}, i, 0);
  if (i < count) body(Block<1, true>{}, i, (int)(count - i));
}

/** y = max(x + residual, 0); `residual` may be null, and y be the memory of either. */
template <class S>
void rectify(int64_t count, const void* x, const void* residual, void* y) {
  typedef typename S::Type T;
  eachVector(count, [&](auto block, int64_t i, int rest) __attribute__((always_inline)) {
    constexpr bool kPart = decltype(block)::kPart;
    Floats sum = get<S, kPart>((const T*)x + i, rest);
    if (residual) sum += get<S, kPart>((const T*)residual + i, rest);
    put<S, kPart>((T*)y + i, relu(sum), rest);
  });
}

/** dx = dy where y > 0, else 0; dx may be the memory of dy. */
template <class S>
void rectifyGradient(int64_t count, const void* dy, const void* y, void* dx) {
  typedef typename S::Type T;
  eachVector(count, [&](auto block, int64_t i, int rest) __attribute__((always_inline)) {
    constexpr bool kPart = decltype(block)::kPart;
    put<S, kPart>((T*)dx + i, wherePositive(get<S, kPart>((const T*)y + i, rest), get<S, kPart>((const T*)dy + i, rest)),
                  rest);
  });
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
