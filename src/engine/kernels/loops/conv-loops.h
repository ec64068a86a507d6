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

/** The multiplying unit of a float32 convolution: it takes one input channel at a time. */
struct Singles {
  typedef float Word;  // of the input: what is broadcast at a time
  typedef Float32 Stored;
  static constexpr int kChannels = 1;  // in a word
  GNBENCH_INLINE Floats broadcastOf(const float* x) { return broadcast(*x); }
  GNBENCH_INLINE Floats add(Floats sum, Floats value, Floats w) { return sum + value * w; }
};

template <int mask>
struct RowMask {
  static constexpr int kMask = mask;
};

/** The weights of one kernel row and output vector, [tap, input word, line], and the words of an input pixel. */
struct Taps {
  const float* weights;
  int64_t tapStride, lineStride, words;
};

/**
 * Adds one kernel row to a tile of kRows × kPixels outputs. `kTransposed` false: output pixel p takes input pixel
 * p · stride + tap - pad; true (the gradient): output pixel u · stride + tap - pad takes input pixel u. `x[i]` points at
 * the input pixel 0 of the tile's i-th row (bit i of kMask: it has one). Pixels left of the image (`left`: this is its
 * first tile) or beyond `limit` are zero and left out.
 */
template <class Unit, bool kTransposed, int kStride, int kKernel, int kPixels, int kRows, int kMask, int kWords>
GNBENCH_INLINE void addKernelRow(Floats (&sum)[kRows][kPixels], const typename Unit::Word* const (&x)[kRows], Taps taps,
                                 bool left, int64_t limit) {
  constexpr int pad = kKernel / 2;
  constexpr int first = kTransposed ? -((kKernel - 1 - pad) / kStride) : -pad;
  constexpr int last = kTransposed ? (kPixels - 1 + pad) / kStride : (kPixels - 1) * kStride + kKernel - 1 - pad;
  constexpr int inside = kTransposed ? (kPixels - 1) / kStride : (kPixels - 1) * kStride;
  const int64_t words = kWords ? kWords : taps.words;
  for (int64_t c = 0; c < words; c++) {
    Floats w[kKernel];
#pragma GCC unroll 8
    for (int s = 0; s < kKernel; s++)
      w[s] = *(const LooseFloats*)(taps.weights + s * taps.tapStride + c * taps.lineStride);
#pragma GCC unroll 80
    for (int step = 0; step < (last - first + 1) * kRows; step++) {
      const int row = step % kRows, u = first + step / kRows;
      if (!(kMask >> row & 1) || (u < 0 && left) || (u > inside && u > limit)) continue;
      const Floats value = Unit::broadcastOf(x[row] + u * words + c);
#pragma GCC unroll 8
      for (int s = 0; s < kKernel; s++) {
        const int at = kTransposed ? u * kStride + s - pad : u + pad - s;
        if (kTransposed) {
          if (at >= 0 && at < kPixels) sum[row][at] = Unit::add(sum[row][at], value, w[s]);
        } else if (at >= 0 && at % kStride == 0 && at / kStride < kPixels) {
          sum[row][at / kStride] = Unit::add(sum[row][at / kStride], value, w[s]);
        }
      }
    }
  }
}

/** The operands of a pass, which counts its input's channels in words. */
template <class Unit>
struct Operands {
  const typename Unit::Word* x;
  const float* weights;
  const typename Unit::Stored::Type* addend;
  typename Unit::Stored::Type* y;
};

/** One tile: rows h …, pixels w …, the output channels of `weights` and `y`. */
template <class Unit, bool kTransposed, int kStride, int kKernel, int kPixels, int kRows, int kWords>
GNBENCH_INLINE void convTile(const ConvPass& pass, Operands<Unit> on, int64_t h, int64_t w) {
  typedef typename Unit::Stored Stored;
  constexpr int pad = kKernel / 2, kAll = (1 << kRows) - 1;
  const int64_t column = kTransposed ? w / kStride : w * kStride, limit = pass.in.width - 1 - column;
  Floats sum[kRows][kPixels];
  for (int i = 0; i < kRows; i++) {
    for (int p = 0; p < kPixels; p++) {
      const int64_t at = ((h + i) * pass.out.width + w + p) * pass.out.channels;
      sum[i][p] = on.addend ? Stored::load(on.addend + at) : zero();
    }
  }
  for (int r = 0; r < kKernel; r++) {
    const typename Unit::Word* rows[kRows];
    int mask = 0;
    for (int i = 0; i < kRows; i++) {
      const int64_t offset = kTransposed ? h + i + pad - r : (h + i) * kStride + r - pad;
      const int64_t row = kTransposed ? offset / kStride : offset;
      const bool inside = offset >= 0 && (!kTransposed || offset % kStride == 0) && row < pass.in.height;
      mask |= inside << i;
      rows[i] = on.x + (inside ? row * pass.in.width + column : 0) * pass.in.channels;
    }
    const Taps taps{on.weights + r * kKernel * pass.tapStride, pass.tapStride, pass.lineStride, pass.in.channels};
    const auto add = [&](auto only) __attribute__((always_inline)) {
      addKernelRow<Unit, kTransposed, kStride, kKernel, kPixels, kRows, decltype(only)::kMask, kWords>(sum, rows, taps,
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
      Stored::store(on.y + ((h + i) * pass.out.width + w + p) * pass.out.channels, sum[i][p]);
}

/** All tiles of a band of rows, for one vector of output channels. */
template <class Unit, bool kTransposed, int kStride, int kKernel, int kWords>
void convBand(const ConvPass& pass, Operands<Unit> on, int64_t begin, int64_t end) {
  const int64_t width = pass.out.width;
  int64_t h = begin;
  if (kLanes == 16 && (width == 8 || (width == 7 && !kWords))) {
    for (; h + 2 <= end; h += 2) {
      if (width == 8) convTile<Unit, kTransposed, kStride, kKernel, 8, 2, kWords>(pass, on, h, 0);
      if (width == 7 && !kWords) convTile<Unit, kTransposed, kStride, kKernel, 7, 2, 0>(pass, on, h, 0);
    }
  }
  for (; h < end; h++) {
    int64_t w = 0;
    if (kLanes == 16 && width % 14 == 0 && !kWords) {
      for (; w + 14 <= width; w += 14) convTile<Unit, kTransposed, kStride, kKernel, 14, 1, 0>(pass, on, h, w);
    }
    constexpr int kMost = kLanes == 16 ? 16 : 8;
    for (; w + kMost <= width; w += kMost)
      convTile<Unit, kTransposed, kStride, kKernel, kMost, 1, kWords>(pass, on, h, w);
    for (; w + 4 <= width; w += 4) convTile<Unit, kTransposed, kStride, kKernel, 4, 1, 0>(pass, on, h, w);
    if (w + 2 <= width) convTile<Unit, kTransposed, kStride, kKernel, 2, 1, 0>(pass, on, h, w), w += 2;
    if (w < width) convTile<Unit, kTransposed, kStride, kKernel, 1, 1, 0>(pass, on, h, w);
  }
}

template <class Unit, bool kTransposed, int kStride, int kKernel>
void convWords(const ConvPass& pass, Operands<Unit> on, int64_t begin, int64_t end) {
  // A constant number of words puts every address into its instruction.
  constexpr int k16 = 16 / Unit::kChannels, k32 = 32 / Unit::kChannels, k64 = 64 / Unit::kChannels;
  if (kKernel == 3 && pass.in.channels == k16) {
    convBand<Unit, kTransposed, kStride, kKernel, kKernel == 3 ? k16 : 0>(pass, on, begin, end);
  } else if (kKernel == 3 && pass.in.channels == k32) {
    convBand<Unit, kTransposed, kStride, kKernel, kKernel == 3 ? k32 : 0>(pass, on, begin, end);
  } else if (kKernel == 3 && pass.in.channels == k64) {
    convBand<Unit, kTransposed, kStride, kKernel, kKernel == 3 ? k64 : 0>(pass, on, begin, end);
  } else {
    convBand<Unit, kTransposed, kStride, kKernel, 0>(pass, on, begin, end);
  }
}

/** Output rows [begin, end) of one image, output channels [first, last). */
template <class Unit>
GNBENCH_INLINE void convWith(const ConvPass& pass, Operands<Unit> on, int64_t begin, int64_t end, int64_t first,
                             int64_t last) {
  typedef void (*Run)(const ConvPass& pass, Operands<Unit> on, int64_t begin, int64_t end);
  /** By transposed, stride - 1 and kernel / 2. */
  static constexpr Run kRuns[2][2][2] = {{{convWords<Unit, false, 1, 1>, convWords<Unit, false, 1, 3>},
                                          {convWords<Unit, false, 2, 1>, convWords<Unit, false, 2, 3>}},
                                         {{convWords<Unit, true, 1, 1>, convWords<Unit, true, 1, 3>},
                                          {convWords<Unit, true, 2, 1>, convWords<Unit, true, 2, 3>}}};
  const Run run = kRuns[pass.transposed][pass.stride - 1][pass.kernel / 2];
  for (int64_t k = first; k < last; k += kLanes)
    run(pass, {on.x, on.weights + k / kLanes * pass.blockStride, on.addend ? on.addend + k : 0, on.y + k}, begin, end);
}

inline void conv(const ConvPass& pass, const float* x, const float* weights, const float* addend, float* y,
                 int64_t begin, int64_t end, int64_t firstChannel, int64_t lastChannel) {
  convWith<Singles>(pass, {x, weights, addend, y}, begin, end, firstChannel, lastChannel);
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
