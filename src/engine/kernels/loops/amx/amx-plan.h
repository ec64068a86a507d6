// A convolution, or the gradient of its input, as the tile unit computes it: products of scratch copies of the image with
// weights that are packed into tiles.
#pragma once
#include "loops/amx/amx-tiles.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** One kernel row: the row of the scratch copy that it reads and the taps of the weights that it uses. */
struct AmxSegment {
  int64_t row;
  int64_t taps[3];
};

/**
 * One product of tiles. A convolution is one of them; its gradient at stride 2 is four, one for each parity of the
 * gradient's rows and columns, as each meets other taps.
 */
struct AmxProduct {
  int segments, taps;  // taps of one segment that count
  AmxSegment segment[3];
  int64_t row, column;  // parity
};

struct AmxPlan {
  int products;
  AmxProduct product[4];
  int64_t step;   // between rows and columns of the output: 2 for the gradient at stride 2
  int64_t width;  // of the scratch copy, in pixels
  int64_t taps;   // side by side in a pixel of the scratch copy
  int64_t pixel;  // values from one pixel to the next: whole cache lines, as rows of tiles that straddle two cost double
  int64_t columnStep, firstColumn;
};

GNBENCH_INLINE int64_t amxChunks(const AmxProduct& product, int64_t channels) {
  return (product.taps * channels + 31) / 32;
}

inline AmxPlan amxPlan(const ConvPass& pass) {
  const int64_t k = pass.kernel;
  AmxPlan plan = {};
  plan.products = 1;
  plan.step = pass.transposed ? pass.stride : 1;
  plan.width = plan.step == 2 ? pass.in.width : pass.out.width;
  plan.taps = k;
  plan.columnStep = pass.transposed ? 1 : pass.stride;
  plan.firstColumn = -(k / 2);
  plan.pixel = (k * pass.in.channels + 31) / 32 * 32;
  AmxProduct& all = plan.product[0];
  all.segments = all.taps = (int)k;
  for (int64_t r = 0; r < k; r++) {
    for (int64_t s = 0; s < k; s++) all.segment[r].taps[s] = pass.transposed ? (k - 1 - r) * k + k - 1 - s : r * k + s;
    all.segment[r].row = r;
  }
  if (plan.step == 1) return plan;
  plan.products = 4;
  plan.taps = k == 1 ? 1 : 2;
  plan.pixel = (plan.taps * pass.in.channels + 31) / 32 * 32;
  plan.firstColumn = 0;
  for (int64_t i = 0; i < 4; i++) {
    AmxProduct& product = plan.product[i];
    product = {};
    product.row = i / 2;
    product.column = i % 2;
    if (k == 1) {
      product.segments = i == 0;
      product.taps = 1;
      continue;
    }
    product.segments = product.row ? 2 : 1;
    product.taps = product.column ? 2 : 1;
    for (int64_t segment = 0; segment < product.segments; segment++) {
      // Output row 2u takes kernel row 1 of input row u; 2u + 1 takes 2 of u and 0 of u + 1. Columns alike.
      const int64_t r = product.row ? 2 - 2 * segment : 1;
      product.segment[segment].row = segment;
      product.segment[segment].taps[0] = r * 3 + (product.column ? 2 : 1);
      product.segment[segment].taps[1] = r * 3;
    }
  }
  return plan;
}

inline int64_t amxPackedSize(const ConvPass& pass) {
  const AmxPlan plan = amxPlan(pass);
  int64_t tiles = 0;
  for (int i = 0; i < plan.products; i++) tiles += plan.product[i].segments * amxChunks(plan.product[i], pass.in.channels);
  return tiles * (pass.out.channels / 16) * 512;
}

/**
 * Weights as B tiles, [product, 16 output channels, segment, chunk, pair, channel, 2]. A row of 16 weights is found at
 * tap · tapStride + input channel · lineStride + output block · blockStride of `weights`.
 */
inline void amxPack(const ConvPass& pass, const float* weights, uint16_t* packed) {
  const AmxPlan plan = amxPlan(pass);
  const int64_t channels = pass.in.channels;
  for (int i = 0; i < plan.products; i++) {
    const AmxProduct& product = plan.product[i];
    const int64_t chunks = amxChunks(product, channels), values = product.taps * channels;
    for (int64_t block = 0; block < pass.out.channels / 16; block++) {
      for (int segment = 0; segment < product.segments; segment++) {
        // The rows of weights, tap after tap; pairs may straddle two taps.
        int64_t k = 0, tap = -1, left = 0;
        const float* line = 0;
        const auto next = [&]() __attribute__((always_inline)) {
          if (k++ >= values) return _mm256_setzero_si256();
          if (left-- == 0) {
            left = channels - 1;
            line = weights + product.segment[segment].taps[++tap] * pass.tapStride + block * pass.blockStride;
          } else {
            line += pass.lineStride;
          }
          return (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(line));
        };
        for (int64_t pair = 0; pair < chunks * 16; pair++, packed += 32) {
          const __m256i first = next(), second = next();
          _mm512_storeu_si512(packed, interleave(first, second));
        }
      }
    }
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
