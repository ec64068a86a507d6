// Products of packed panels in bfloat16 with the processor's dot products: a word of the packed operands is a pair of values
// instead of one of float32. Of the convolution and of the gradient of the input it is two neighbouring input channels, which
// lie side by side in memory as they are; of the gradient of the filter, two pixels.
#pragma once
#include "loops/dot-conv-loops.h"
#include "loops/packed-filter-loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Weights of two neighbouring input channels, [row, 2, columns], rounded and brought together: [row, columns, 2]. */
inline void packPairs(int64_t rows, int64_t columns, const float* weights, float* pairs) {
  for (int64_t row = 0; row < rows; row++, weights += 2 * columns, pairs += columns)
    for (int64_t k = 0; k < columns; k += kLanes)
      Float32::store(pairs + k, pairOf(Float32::load(weights + k), Float32::load(weights + columns + k)));
}

/** Takes two pixels at a time. */
struct PixelPairs {
  typedef uint16_t Value;
  static constexpr int kPixels = 2;
  GNBENCH_INLINE Floats add(Floats sum, Floats value, Floats d) { return dot(sum, value, d); }
  /** `whole`: there is a second pixel; otherwise it counts as zeros. Writes whole vectors. */
  GNBENCH_INLINE void copy(float* to, const uint16_t* const (&from)[2], int64_t count, bool whole) {
    for (int64_t i = 0; i < count; i += kLanes) {
      const __mmask16 some = (__mmask16)(count - i < kLanes ? (1u << (count - i)) - 1 : 0xffffu);
      const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, from[0] + i));
      const __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(whole ? some : (__mmask16)0, from[1] + i));
      _mm512_storeu_si512(to + i, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
  }
  GNBENCH_INLINE void copyTile(float* to, const uint16_t* const (&from)[2], int count) { copy(to, from, count, true); }
  GNBENCH_INLINE void set(float* to, const uint16_t (&values)[2]) {
    const uint32_t word = values[0] | (uint32_t)values[1] << 16;
    __builtin_memcpy(to, &word, sizeof word);
  }
};

}  // namespace GNBENCH_ISA
}  // namespace gnbench
