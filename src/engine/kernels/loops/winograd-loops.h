// 3×3 convolutions at stride 1 with Winograd's minimal filtering, F(2×2, 3×3) (Lavin & Gray 2015, arXiv 1509.09308):
// Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A turns the 36 multiplications of a tile of 2×2 outputs into 16; what is left is 16 small
// products of matrices, [tiles, in] × [in, out], one for each position of the transformed 4×4 tile. The transforms only
// add and halve, so the result is as good as the direct one's.
#pragma once
#include "loops/conv-loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Tiles that are transformed, multiplied and transformed back together: few enough for the first-level cache. */
constexpr int kTiles = 8;
/**
 * Tiles (for the weights' gradient: input channels) and output vectors that are summed in one pass over the channels: as
 * many sums as registers hold, and fewer loads than multiplications.
 */
constexpr int kTilesPerPass = kLanes == 16 ? 8 : 4;
constexpr int kVectorsPerPass = 2;

/** Position to position in the scratch memory; the additional cache line keeps all 16 from sharing cache sets. */
GNBENCH_INLINE int64_t winogradStride(int64_t channels) { return kTiles * channels + 16; }

inline int64_t winogradScratch(const ConvPass& pass) {
  return 16 * (winogradStride(pass.in.channels) + winogradStride(kVectorsPerPass * kLanes));
}

/** G g Gᵀ of one input channel and vector of output channels; `tap(r, s)` is where its weights lie. */
template <class Tap>
GNBENCH_INLINE void transformWeights(Tap tap, float* to, int64_t stride) {
  Floats half[4][3];
#pragma GCC unroll 3
  for (int s = 0; s < 3; s++) {
    const Floats a = Float32::load(tap(0, s)), b = Float32::load(tap(1, s)), c = Float32::load(tap(2, s));
    half[0][s] = a;
    half[1][s] = 0.5f * (a + b + c);
    half[2][s] = 0.5f * (a - b + c);
    half[3][s] = c;
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const Floats a = half[i][0], b = half[i][1], c = half[i][2];
    Float32::store(to + (4 * i) * stride, a);
    Float32::store(to + (4 * i + 1) * stride, 0.5f * (a + b + c));
    Float32::store(to + (4 * i + 2) * stride, 0.5f * (a - b + c));
    Float32::store(to + (4 * i + 3) * stride, c);
  }
}

/** From one position's weights of a vector to the next one's; again off by a cache line. */
GNBENCH_INLINE int64_t winogradPosition(int64_t in) { return (in + 1) * kLanes; }

inline int64_t winogradSize(const ConvPass& pass) {
  return 16 * winogradPosition(pass.in.channels) * (pass.out.channels / kLanes);
}

/** Weights as [vector of output channels, position, input channel, lane]. */
inline void winogradWeights(const ConvPass& pass, const float* weights, float* packed) {
  const int64_t in = pass.in.channels;
  for (int64_t block = 0; block < pass.out.channels / kLanes; block++) {
    for (int64_t c = 0; c < in; c++) {
      const float* from = weights + block * pass.blockStride + c * pass.lineStride;
      const auto tap = [&](int r, int s) __attribute__((always_inline)) {
        return from + (pass.transposed ? 8 - 3 * r - s : 3 * r + s) * pass.tapStride;
      };
      transformWeights(tap, packed + block * 16 * winogradPosition(in) + c * kLanes, winogradPosition(in));
    }
  }
}

/** Bᵀ d B for `count` tiles of one row, from tile (row, column) on, as [position, tile, channel]. */
template <class S>
GNBENCH_INLINE void transformInput(const Plane& plane, const typename S::Type* x, int64_t row, int64_t column,
                                   int64_t count, float* to, int64_t stride) {
  const int64_t channels = plane.channels, line = plane.width * channels;
  const bool top = row > 0, bottom = 2 * row + 2 < plane.height;
  for (int64_t c = 0; c < channels; c += kLanes) {
    const typename S::Type* from = x + (2 * row * plane.width + 2 * column) * channels + c;
    float* target = to + c;
    const auto load = [&](int64_t at, Floats* out, bool inside) __attribute__((always_inline)) {
      const Floats none = zero();
      const Floats a = inside && top ? S::load(from + at - line) : none;
      const Floats b = inside ? S::load(from + at) : none;
      const Floats d = inside ? S::load(from + at + line) : none;
      const Floats e = inside && bottom ? S::load(from + at + 2 * line) : none;
      out[0] = a - d;
      out[1] = b + d;
      out[2] = d - b;
      out[3] = b - e;
    };
    Floats first[4], second[4], third[4], fourth[4];
    load(-channels, first, column > 0);
    load(0, second, true);
    for (int64_t tile = 0; tile < count; tile++, from += 2 * channels, target += channels) {
      load(channels, third, true);
      load(2 * channels, fourth, 2 * (column + tile) + 2 < plane.width);
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        Float32::store(target + (4 * i) * stride, first[i] - third[i]);
        Float32::store(target + (4 * i + 1) * stride, second[i] + third[i]);
        Float32::store(target + (4 * i + 2) * stride, third[i] - second[i]);
        Float32::store(target + (4 * i + 3) * stride, second[i] - fourth[i]);
        first[i] = third[i];
        second[i] = fourth[i];
      }
    }
  }
}

/** [kTiles, in] × [in, kVectors vectors] of one position. */
template <int kVectors, int kChannels>
GNBENCH_INLINE void multiplyTiles(const float* v, const float* u, int64_t vectorStride, int64_t in, float* m) {
  const int64_t channels = kChannels ? kChannels : in;
#pragma GCC unroll 1
  for (int first = 0; first < kTiles; first += kTilesPerPass) {
    Floats sum[kTilesPerPass][kVectors] = {};
    const float* from = v + first * channels;
    for (int64_t c = 0; c < channels; c++) {
      Floats w[kVectors];
#pragma GCC unroll 2
      for (int k = 0; k < kVectors; k++) w[k] = Float32::load(u + k * vectorStride + c * kLanes);
#pragma GCC unroll 16
      for (int p = 0; p < kTilesPerPass; p++) {
        const Floats value = broadcast(from[p * channels + c]);
#pragma GCC unroll 2
        for (int k = 0; k < kVectors; k++) sum[p][k] += value * w[k];
      }
    }
    for (int p = 0; p < kTilesPerPass; p++)
      for (int k = 0; k < kVectors; k++) Float32::store(m + ((first + p) * kVectors + k) * kLanes, sum[p][k]);
  }
}

/** Aᵀ m A of one tile and vector: its 2×2 outputs. */
template <class S>
GNBENCH_INLINE void transformOutput(const float* m, int64_t stride, const typename S::Type* addend,
                                    typename S::Type* y, int64_t line, int64_t channels) {
  Floats upper[4], lower[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    const Floats a = Float32::load(m + j * stride), b = Float32::load(m + (4 + j) * stride);
    const Floats c = Float32::load(m + (8 + j) * stride), d = Float32::load(m + (12 + j) * stride);
    upper[j] = a + b + c;
    lower[j] = b - c - d;
  }
  const auto put = [&](int64_t at, Floats value) __attribute__((always_inline)) {
    S::store(y + at, addend ? value + S::load(addend + at) : value);
  };
  put(0, upper[0] + upper[1] + upper[2]);
  put(channels, upper[1] - upper[2] - upper[3]);
  put(line, lower[0] + lower[1] + lower[2]);
  put(line + channels, lower[1] - lower[2] - lower[3]);
}

template <class S, int kVectors, int kChannels>
GNBENCH_INLINE void winogradVectors(const ConvPass& pass, const float* v, const float* packed,
                                    const typename S::Type* addend, typename S::Type* y, int64_t block, int64_t first,
                                    int64_t count, float* m) {
  const int64_t in = pass.in.channels, out = pass.out.channels, stride = winogradStride(kVectors * kLanes);
  const int64_t vectorStride = 16 * winogradPosition(in);
  for (int64_t position = 0; position < 16; position++) {
    const float* u = packed + (block * 16 + position) * winogradPosition(in);
    multiplyTiles<kVectors, kChannels>(v + position * winogradStride(in), u, vectorStride, in, m + position * stride);
  }
  const int64_t line = pass.out.width * out, columns = pass.out.width / 2;
  int64_t column = first % columns, at = 2 * (first / columns) * line + 2 * column * out + block * kLanes;
  for (int64_t tile = 0; tile < count; tile++) {
    for (int k = 0; k < kVectors; k++, at += kLanes)
      transformOutput<S>(m + (tile * kVectors + k) * kLanes, stride, addend ? addend + at : 0, y + at, line, out);
    at += 2 * out - kVectors * kLanes;
    if (++column == columns) column = 0, at += line;
  }
}

template <class S, int kChannels>
void winogradTiles(const ConvPass& pass, const typename S::Type* x, const float* packed,
                   const typename S::Type* addend, typename S::Type* y, int64_t begin, int64_t end, float* scratch) {
  const int64_t in = pass.in.channels, columns = pass.out.width / 2, stride = winogradStride(in);
  float* m = scratch + 16 * stride;
  for (int64_t first = begin; first < end; first += kTiles) {
    const int64_t count = end - first < kTiles ? end - first : kTiles;
    if (count < kTiles)
      for (int64_t i = 0; i < 16 * stride; i++) scratch[i] = 0;
    for (int64_t done = 0; done < count;) {
      const int64_t row = (first + done) / columns, column = (first + done) % columns;
      const int64_t run = columns - column < count - done ? columns - column : count - done;
      transformInput<S>(pass.in, x, row, column, run, scratch + done * in, stride);
      done += run;
    }
    int64_t block = 0;
    for (; block + kVectorsPerPass <= pass.out.channels / kLanes; block += kVectorsPerPass)
      winogradVectors<S, kVectorsPerPass, kChannels>(pass, scratch, packed, addend, y, block, first, count, m);
    if (block < pass.out.channels / kLanes)
      winogradVectors<S, 1, kChannels>(pass, scratch, packed, addend, y, block, first, count, m);
  }
}

/** The tiles [begin, end) of one image, counted row by row; height and width are even. */
template <class S>
void winograd(const ConvPass& pass, const void* x, const float* packed, const void* addend, void* y, int64_t begin,
              int64_t end, float* scratch) {
  typedef typename S::Type T;
  const auto tiles = pass.in.channels == 16   ? winogradTiles<S, 16>
                     : pass.in.channels == 32 ? winogradTiles<S, 32>
                     : pass.in.channels == 64 ? winogradTiles<S, 64>
                                              : winogradTiles<S, 0>;
  tiles(pass, (const T*)x, packed, (const T*)addend, (T*)y, begin, end, scratch);
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
