// Convolutions in bfloat16 with the processor's dot products (AVX512-BF16, where there is no tile unit): the direct
// convolution, with a pair of input channels for every one of float32. Pairs lie side by side in memory as they are; only
// the weights have to be brought together.
#pragma once
#include "loops/conv-loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Two neighbouring bfloat16 channels of a pixel, aligned to one. */
typedef uint32_t Pair __attribute__((aligned(2), may_alias));

/** sum + value[2i] · w[2i] + value[2i + 1] · w[2i + 1] in every lane i, all products exact. */
GNBENCH_INLINE Floats dot(Floats sum, Floats value, Floats w) {
  return (Floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)value, (__m512bh)w);
}

/** a0 b0 a1 b1 …, rounded to bfloat16: two input channels' weights for 16 output channels. */
GNBENCH_INLINE Floats pairOf(Floats a, Floats b) {
  const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)a));
  const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)b));
  return (Floats)_mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

struct Pairs {
  typedef Pair Word;
  typedef BFloat16 Stored;
  static constexpr int kChannels = 2;
  GNBENCH_INLINE Floats broadcastOf(const Pair* x) { return (Floats)_mm512_set1_epi32((int)*x); }
  GNBENCH_INLINE Floats add(Floats sum, Floats value, Floats w) { return dot(sum, value, w); }
};

inline int64_t dotPackedSize(const ConvPass& pass) {
  return pass.kernel * pass.kernel * pass.in.channels * pass.out.channels;
}

/** Weights in pairs, [16 output channels, tap, pair, output channel, 2]; as amxPack finds them. */
inline void dotPack(const ConvPass& pass, const float* weights, uint16_t* packed) {
  for (int64_t block = 0; block < pass.out.channels / kLanes; block++) {
    for (int64_t tap = 0; tap < pass.kernel * pass.kernel; tap++) {
      const float* line = weights + tap * pass.tapStride + block * pass.blockStride;
      for (int64_t pair = 0; pair < pass.in.channels / 2; pair++, line += 2 * pass.lineStride, packed += 2 * kLanes)
        Float32::store((float*)packed, pairOf(Float32::load(line), Float32::load(line + pass.lineStride)));
    }
  }
}

/** Nothing is copied. */
inline int64_t dotScratchSize(const ConvPass&, int64_t) { return 0; }

/** Output rows [begin, end) of one image (of the gradient at stride 2: pairs of rows), all output channels. */
inline void dotConv(const ConvPass& pass, const uint16_t* x, const uint16_t* packed, const uint16_t* addend, uint16_t* y,
                    int64_t begin, int64_t end, uint16_t*) {
  const int64_t step = pass.transposed ? pass.stride : 1;
  ConvPass inPairs = pass;
  inPairs.in.channels /= 2;
  inPairs.lineStride = kLanes;
  inPairs.tapStride = inPairs.in.channels * kLanes;
  inPairs.blockStride = pass.kernel * pass.kernel * inPairs.tapStride;
  end = end * step < pass.out.height ? end * step : pass.out.height;
  convWith<Pairs>(inPairs, {(const Pair*)x, (const float*)packed, addend, y}, begin * step, end, 0, pass.out.channels);
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
