// The gradient of a 3×3 convolution's weights at stride 1 by Winograd's filtering: the forward pass turned round,
// dg = Gᵀ[(Bᵀ d B) ⊙ (A dy Aᵀ)]G, summed over all tiles before the last transform.
#pragma once
#include "loops/winograd-loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Tiles between two additions to the sums in memory: the more channels, the larger those are. */
inline int64_t winogradFilterTiles(const ConvPass& pass) { return pass.in.channels <= 32 ? 32 : 64; }

GNBENCH_INLINE int64_t filterStride(int64_t tiles, int64_t channels) { return tiles * channels + 16; }

inline int64_t winogradFilterScratch(const ConvPass& pass, int64_t outputs) {
  const int64_t tiles = winogradFilterTiles(pass), in = pass.in.channels;
  return 16 * (filterStride(tiles, in) + filterStride(tiles, outputs) + in * outputs + 16);
}

/** A dy Aᵀ for `count` tiles of one row and `outputs` channels, as [position, tile, channel]. */
template <class S>
GNBENCH_INLINE void transformGradient(const Plane& plane, const typename S::Type* dy, int64_t row, int64_t column,
                                      int64_t count, int64_t outputs, float* to, int64_t stride) {
  const int64_t channels = plane.channels, line = plane.width * channels;
  for (int64_t tile = 0; tile < count; tile++) {
    const typename S::Type* from = dy + (2 * row * plane.width + 2 * (column + tile)) * channels;
    for (int64_t k = 0; k < outputs; k += kLanes) {
      float* target = to + tile * outputs + k;
      const Floats a = S::load(from + k), b = S::load(from + channels + k);
      const Floats c = S::load(from + line + k), d = S::load(from + line + channels + k);
      const Floats left[4] = {a, a + c, a - c, -c}, right[4] = {b, b + d, b - d, -d};
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        Float32::store(target + (4 * i) * stride, left[i]);
        Float32::store(target + (4 * i + 1) * stride, left[i] + right[i]);
        Float32::store(target + (4 * i + 2) * stride, left[i] - right[i]);
        Float32::store(target + (4 * i + 3) * stride, -right[i]);
      }
    }
  }
}

/** One position's sums over `tiles` tiles for kRows input channels and kVectors output vectors; set (`start`) or added. */
template <int kRows, int kVectors>
GNBENCH_INLINE void sumTiles(const float* v, int64_t in, const float* d, int64_t outputs, int64_t tiles, bool start,
                             float* sums) {
  Floats sum[kRows][kVectors] = {};
  for (int64_t t = 0; t < tiles; t++, v += in, d += outputs) {
    Floats gradient[kVectors];
#pragma GCC unroll 2
    for (int k = 0; k < kVectors; k++) gradient[k] = Float32::load(d + k * kLanes);
#pragma GCC unroll 16
    for (int c = 0; c < kRows; c++) {
      const Floats value = broadcast(v[c]);
#pragma GCC unroll 2
      for (int k = 0; k < kVectors; k++) sum[c][k] += value * gradient[k];
    }
  }
  for (int c = 0; c < kRows; c++) {
    for (int k = 0; k < kVectors; k++) {
      float* to = sums + c * outputs + k * kLanes;
      Float32::store(to, start ? sum[c][k] : sum[c][k] + Float32::load(to));
    }
  }
}

/** Gᵀ u G of one input channel and output vector. */
GNBENCH_INLINE void transformSums(const float* u, int64_t stride, float* gradient, int64_t tapStride) {
  Floats half[3][4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    const Floats a = Float32::load(u + j * stride), b = Float32::load(u + (4 + j) * stride);
    const Floats c = Float32::load(u + (8 + j) * stride), d = Float32::load(u + (12 + j) * stride);
    half[0][j] = a + 0.5f * (b + c);
    half[1][j] = 0.5f * (b - c);
    half[2][j] = 0.5f * (b + c) + d;
  }
#pragma GCC unroll 3
  for (int r = 0; r < 3; r++) {
    const Floats even = 0.5f * (half[r][1] + half[r][2]), odd = 0.5f * (half[r][1] - half[r][2]);
    Float32::store(gradient + (3 * r) * tapStride, half[r][0] + even);
    Float32::store(gradient + (3 * r + 1) * tapStride, odd);
    Float32::store(gradient + (3 * r + 2) * tapStride, even + half[r][3]);
  }
}

/**
 * Sets the gradient, [3, 3, in, out], of all input channels and the output channels [first, first + outputs), over
 * `images` images of even height and width; channels in whole vectors.
 */
template <class S>
void winogradFilter(const ConvPass& pass, const void* x, const void* dy, int64_t images, int64_t first, int64_t outputs,
                    float* gradient, float* scratch) {
  typedef typename S::Type T;
  const int64_t in = pass.in.channels, out = pass.out.channels, most = winogradFilterTiles(pass);
  const int64_t columns = pass.in.width / 2, perImage = columns * pass.in.height / 2, all = images * perImage;
  const int64_t vStride = filterStride(most, in), dStride = filterStride(most, outputs), uStride = in * outputs + 16;
  float* v = scratch;
  float* d = v + 16 * vStride;
  float* u = d + 16 * dStride;
  for (int64_t begin = 0; begin < all; begin += most) {
    const int64_t tiles = all - begin < most ? all - begin : most;
    for (int64_t done = 0; done < tiles;) {
      const int64_t image = (begin + done) / perImage, tile = (begin + done) % perImage;
      const int64_t row = tile / columns, column = tile % columns;
      const int64_t run = columns - column < tiles - done ? columns - column : tiles - done;
      transformInput<S>(pass.in, (const T*)x + image * perImage * 4 * in, row, column, run, v + done * in, vStride);
      transformGradient<S>(pass.out, (const T*)dy + image * perImage * 4 * out + first, row, column, run, outputs,
                           d + done * outputs, dStride);
      done += run;
    }
    for (int64_t position = 0; position < 16; position++) {
      const float *fromV = v + position * vStride, *fromD = d + position * dStride;
      float* to = u + position * uStride;
      int64_t k = 0;
      for (; k + kVectorsPerPass * kLanes <= outputs; k += kVectorsPerPass * kLanes)
        for (int64_t c = 0; c < in; c += kTilesPerPass)
          sumTiles<kTilesPerPass, kVectorsPerPass>(fromV + c, in, fromD + k, outputs, tiles, begin == 0, to + c * outputs + k);
      for (; k < outputs; k += kLanes)
        for (int64_t c = 0; c < in; c += kTilesPerPass)
          sumTiles<kTilesPerPass, 1>(fromV + c, in, fromD + k, outputs, tiles, begin == 0, to + c * outputs + k);
    }
  }
  for (int64_t c = 0; c < in; c++)
    for (int64_t k = 0; k < outputs; k += kLanes)
      transformSums(u + c * outputs + k, uStride, gradient + c * out + first + k, in * out);
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
