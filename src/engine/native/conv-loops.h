// Direct convolutions for small images, [rows, columns, channels] with the channels contiguous: no copy of the image, no
// padding, no library call. A tile of output pixels × one vector of output channels stays in registers; every input
// value is broadcast once and used by all taps of a row that want it.
#pragma once
#include "loops.h"
#include "vector.h"

namespace gnbench {
namespace GNBENCH_ISA {

GNBENCH_INLINE Floats broadcast(float value) {
#if defined(__AVX512F__)
  return (Floats)_mm512_set1_ps(value);
#elif defined(__AVX__)
  return (Floats)_mm256_set1_ps(value);
#else
  return Floats{value, value, value, value};
#endif
}

template <int mask>
struct RowMask {
  static constexpr int kMask = mask;
};

/** The weights of one kernel row and output vector, [tap, input channel, line], and the number of input channels. */
struct Taps {
  const float* weights;
  int64_t tapStride, lineStride, channels;
};

/**
 * Adds one kernel row to a tile of kRows × kPixels outputs. `kTransposed` false: output pixel p takes input pixel
 * p · stride + tap - pad; true (the gradient): output pixel u · stride + tap - pad takes input pixel u. `x[i]` points at
 * the input pixel 0 of the tile's i-th row (bit i of kMask: it has one). Pixels left of the image (`left`: this is its
 * first tile) or beyond `limit` are zero and left out.
 */
template <bool kTransposed, int kStride, int kKernel, int kPixels, int kRows, int kMask, int kChannels>
GNBENCH_INLINE void addKernelRow(Floats (&sum)[kRows][kPixels], const float* const (&x)[kRows], Taps taps, bool left,
                                 int64_t limit) {
  constexpr int pad = kKernel / 2;
  constexpr int first = kTransposed ? -((kKernel - 1 - pad) / kStride) : -pad;
  constexpr int last = kTransposed ? (kPixels - 1 + pad) / kStride : (kPixels - 1) * kStride + kKernel - 1 - pad;
  constexpr int inside = kTransposed ? (kPixels - 1) / kStride : (kPixels - 1) * kStride;
  const int64_t channels = kChannels ? kChannels : taps.channels;
  for (int64_t c = 0; c < channels; c++) {
    Floats w[kKernel];
#pragma GCC unroll 8
    for (int s = 0; s < kKernel; s++)
      w[s] = *(const LooseFloats*)(taps.weights + s * taps.tapStride + c * taps.lineStride);
#pragma GCC unroll 80
    for (int step = 0; step < (last - first + 1) * kRows; step++) {
      const int row = step % kRows, u = first + step / kRows;
      if (!(kMask >> row & 1) || (u < 0 && left) || (u > inside && u > limit)) continue;
      const Floats value = broadcast(x[row][u * channels + c]);
#pragma GCC unroll 8
      for (int s = 0; s < kKernel; s++) {
        const int at = kTransposed ? u * kStride + s - pad : u + pad - s;
        if (kTransposed) {
          if (at >= 0 && at < kPixels) sum[row][at] += value * w[s];
        } else if (at >= 0 && at % kStride == 0 && at / kStride < kPixels) {
          sum[row][at / kStride] += value * w[s];
        }
      }
    }
  }
}

/** One tile: rows h …, pixels w …, the output channels of `weights` and `y`. */
template <bool kTransposed, int kStride, int kKernel, int kPixels, int kRows, int kChannels>
GNBENCH_INLINE void convTile(const ConvPass& pass, const float* x, const float* weights, const float* addend, float* y,
                             int64_t h, int64_t w) {
  constexpr int pad = kKernel / 2, kAll = (1 << kRows) - 1;
  const int64_t column = kTransposed ? w / kStride : w * kStride, limit = pass.in.width - 1 - column;
  Floats sum[kRows][kPixels];
  for (int i = 0; i < kRows; i++) {
    for (int p = 0; p < kPixels; p++) {
      const int64_t at = ((h + i) * pass.out.width + w + p) * pass.out.channels;
      sum[i][p] = addend ? (Floats) * (const LooseFloats*)(addend + at) : zero();
    }
  }
  for (int r = 0; r < kKernel; r++) {
    const float* rows[kRows];
    int mask = 0;
    for (int i = 0; i < kRows; i++) {
      const int64_t offset = kTransposed ? h + i + pad - r : (h + i) * kStride + r - pad;
      const int64_t row = kTransposed ? offset / kStride : offset;
      const bool inside = offset >= 0 && (!kTransposed || offset % kStride == 0) && row < pass.in.height;
      mask |= inside << i;
      rows[i] = x + (inside ? row * pass.in.width + column : 0) * pass.in.channels;
    }
    const Taps taps{weights + r * kKernel * pass.tapStride, pass.tapStride, pass.lineStride, pass.in.channels};
    const auto add = [&](auto only) __attribute__((always_inline)) {
      addKernelRow<kTransposed, kStride, kKernel, kPixels, kRows, decltype(only)::kMask, kChannels>(sum, rows, taps,
                                                                                                   w == 0, limit);
    };
    if (mask == kAll) {
      add(RowMask<kAll>{});
    } else if (kRows > 1 && mask == 1) {
      add(RowMask<1>{});
    } else if (kRows > 1 && mask == 2) {
      add(RowMask<kRows == 1 ? 1 : 2>{});
    }
  }
  for (int i = 0; i < kRows; i++)
    for (int p = 0; p < kPixels; p++)
      *(LooseFloats*)(y + ((h + i) * pass.out.width + w + p) * pass.out.channels) = sum[i][p];
}

/** All tiles of a band of rows, for one vector of output channels. */
template <bool kTransposed, int kStride, int kKernel, int kChannels>
void convBand(const ConvPass& pass, const float* x, const float* weights, const float* addend, float* y, int64_t begin,
              int64_t end) {
  const int64_t width = pass.out.width;
  int64_t h = begin;
  if (kLanes == 16 && (width == 8 || (width == 7 && !kChannels))) {
    for (; h + 2 <= end; h += 2) {
      if (width == 8) convTile<kTransposed, kStride, kKernel, 8, 2, kChannels>(pass, x, weights, addend, y, h, 0);
      if (width == 7 && !kChannels) convTile<kTransposed, kStride, kKernel, 7, 2, 0>(pass, x, weights, addend, y, h, 0);
    }
  }
  for (; h < end; h++) {
    int64_t w = 0;
    if (kLanes == 16 && width % 14 == 0 && !kChannels) {
      for (; w + 14 <= width; w += 14) convTile<kTransposed, kStride, kKernel, 14, 1, 0>(pass, x, weights, addend, y, h, w);
    }
    constexpr int kMost = kLanes == 16 ? 16 : 8;
    for (; w + kMost <= width; w += kMost)
      convTile<kTransposed, kStride, kKernel, kMost, 1, kChannels>(pass, x, weights, addend, y, h, w);
    for (; w + 4 <= width; w += 4) convTile<kTransposed, kStride, kKernel, 4, 1, 0>(pass, x, weights, addend, y, h, w);
    if (w + 2 <= width) convTile<kTransposed, kStride, kKernel, 2, 1, 0>(pass, x, weights, addend, y, h, w), w += 2;
    if (w < width) convTile<kTransposed, kStride, kKernel, 1, 1, 0>(pass, x, weights, addend, y, h, w);
  }
}

template <bool kTransposed, int kStride, int kKernel>
void convChannels(const ConvPass& pass, const float* x, const float* weights, const float* addend, float* y,
                  int64_t begin, int64_t end) {
  // A constant number of channels puts every address into its instruction.
  if (kKernel == 3 && pass.in.channels == 16) {
    convBand<kTransposed, kStride, kKernel, kKernel == 3 ? 16 : 0>(pass, x, weights, addend, y, begin, end);
  } else if (kKernel == 3 && pass.in.channels == 32) {
    convBand<kTransposed, kStride, kKernel, kKernel == 3 ? 32 : 0>(pass, x, weights, addend, y, begin, end);
  } else if (kKernel == 3 && pass.in.channels == 64) {
    convBand<kTransposed, kStride, kKernel, kKernel == 3 ? 64 : 0>(pass, x, weights, addend, y, begin, end);
  } else {
    convBand<kTransposed, kStride, kKernel, 0>(pass, x, weights, addend, y, begin, end);
  }
}

typedef void (*ConvChannels)(const ConvPass& pass, const float* x, const float* weights, const float* addend, float* y,
                             int64_t begin, int64_t end);
/** By transposed, stride - 1 and kernel / 2. */
constexpr ConvChannels kConvChannels[2][2][2] = {
    {{convChannels<false, 1, 1>, convChannels<false, 1, 3>}, {convChannels<false, 2, 1>, convChannels<false, 2, 3>}},
    {{convChannels<true, 1, 1>, convChannels<true, 1, 3>}, {convChannels<true, 2, 1>, convChannels<true, 2, 3>}}};

inline void conv(const ConvPass& pass, const float* x, const float* weights, const float* addend, float* y,
                 int64_t begin, int64_t end, int64_t firstChannel, int64_t lastChannel) {
  const ConvChannels run = kConvChannels[pass.transposed][pass.stride - 1][pass.kernel / 2];
  for (int64_t k = firstChannel; k < lastChannel; k += kLanes)
    run(pass, x, weights + k / kLanes * pass.blockStride, addend ? addend + k : 0, y + k, begin, end);
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
