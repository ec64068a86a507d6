// The losses of a detector and their derivatives, element by element.
#pragma once
#include "loops.h"
#include "exponential.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** loss = d² / 2β where |d| < β, else |d| − β/2, for d = x − target; slope = its derivative. */
void smoothL1(int64_t count, const float* x, const float* target, float beta, float* loss, float* slope) {
  if (beta == 0) {
    for (int64_t i = 0; i < count; i++) {
      const float difference = x[i] - target[i];
      loss[i] = difference < 0 ? -difference : difference;
      slope[i] = difference > 0 ? 1.f : difference < 0 ? -1.f : difference;
    }
    return;
  }
  const float inverse = 1 / beta;  // a division takes as long as all the rest
  for (int64_t i = 0; i < count; i++) {
    const float difference = x[i] - target[i], size = difference < 0 ? -difference : difference;
    const float squared = size > beta ? beta : size;
    loss[i] = squared * (size - squared * 0.5f) * inverse;
    const float ratio = difference * inverse;
    slope[i] = ratio > 1 ? 1.f : ratio < -1 ? -1.f : ratio;
  }
}

/** The cross-entropy of sigmoid(x[stride · i]) with targets from 0 to 1, in nats, and its derivative. */
void crossEntropy(int64_t count, const float* x, int64_t stride, const float* target, float* loss, float* slope) {
  // Channels lie so far apart that the processor does not foresee which lines of memory come next.
  constexpr int64_t kBlock = 256, kAhead = 64;
  float logits[kBlock];
  for (int64_t first = 0; first < count; first += kBlock) {
    const int64_t size = count - first < kBlock ? count - first : kBlock;
    for (int64_t i = 0; i < size; i++) {
      if (first + i + kAhead < count) __builtin_prefetch(x + (first + i + kAhead) * stride);
      logits[i] = x[(first + i) * stride];
    }
    for (int64_t i = 0; i < size; i++) {
      const float logit = logits[i], wanted = target[first + i];
      // Each sign of the logit by itself: nothing overflows, and no large numbers are subtracted.
      const float small = exponential(logit < 0 ? logit : -logit);
      const float certain = logit < 0 ? -logit * wanted : logit * (1 - wanted);
      loss[first + i] = logarithmOfOneAnd(small) + certain;
      slope[first + i] = (logit < 0 ? small : 1.f) / (1.f + small) - wanted;
    }
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
