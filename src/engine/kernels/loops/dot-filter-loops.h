// The gradient of a convolution's weights in bfloat16 with the processor's dot products: sums over pairs of pixels. Both
// operands are copied, band by band, with the pixels of a pair side by side: x in pairs that begin at even pixels, dy in
// pairs that begin at even and at odd ones, so that one pair of x meets all taps of a row.
#pragma once
#include "loops/conv-filter-loops.h"
#include "loops/dot-conv-loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

/**
 * A band's copies: pairs of x, [row, parity of the column (at stride 2), pair, channel], and of dy, [row, pair (one
 * that begins before the first pixel, then the odd and the even ones by turns), channel].
 */
struct DotBand {
  int64_t xRows, xPairs, xRow;    // of x: rows, pairs in a row (of each parity), words in a row
  int64_t dyRows, dyPairs, dyRow;  // of dy
};

GNBENCH_INLINE DotBand dotBand(const ConvPass& pass, int64_t rows) {
  const int64_t pairs = (pass.out.width + 1) / 2;
  DotBand band;
  band.xRows = (rows - 1) * pass.stride + pass.kernel;
  band.xPairs = pairs;
  band.xRow = pass.stride * pairs * pass.in.channels;
  band.dyRows = rows;
  band.dyPairs = 2 * pairs + 1;
  band.dyRow = band.dyPairs * pass.out.channels;
  return band;
}

/** first[c] and second[c] side by side, 0 where there is no such pixel. */
GNBENCH_INLINE void dotJoin(const uint16_t* first, const uint16_t* second, int64_t channels, uint32_t* pairs) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    const __mmask16 part = (__mmask16)(channels - c < kLanes ? (1 << (channels - c)) - 1 : 0xffff);
    const auto half = [&](const uint16_t* pixel) __attribute__((always_inline)) {
      return pixel ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(part, pixel + c)) : _mm512_setzero_si512();
    };
    _mm512_mask_storeu_epi32(pairs + c, part, _mm512_or_si512(half(first), _mm512_slli_epi32(half(second), 16)));
  }
}

/** Row `row` of x: pairs of the columns 2j, 2j + 1 or, at stride 2, of 4j, 4j + 2 and then of 4j + 1, 4j + 3. */
inline void dotCopyX(const ConvPass& pass, const uint16_t* x, int64_t row, uint32_t* to) {
  const int64_t channels = pass.in.channels, width = pass.in.width, pairs = (pass.out.width + 1) / 2;
  if (row < 0 || row >= pass.in.height) {
    for (int64_t i = 0; i < pass.stride * pairs * channels; i++) to[i] = 0;
    return;
  }
  const uint16_t* line = x + row * width * channels;
  const auto pixel = [&](int64_t column) { return column < width ? line + column * channels : 0; };
  for (int64_t parity = 0; parity < pass.stride; parity++) {
    for (int64_t j = 0; j < pairs; j++, to += channels) {
      const int64_t column = 2 * j * pass.stride + parity;
      dotJoin(pixel(column), pixel(column + pass.stride), channels, to);
    }
  }
}

/** One row of dy: pairs of the columns -1, 0, then 0, 1, then 1, 2, … */
inline void dotCopyDy(const ConvPass& pass, const uint16_t* dy, int64_t row, uint32_t* to) {
  const int64_t channels = pass.out.channels, width = pass.out.width;
  const uint16_t* line = dy + row * width * channels;
  const auto pixel = [&](int64_t column) { return column >= 0 && column < width ? line + column * channels : 0; };
  const int64_t pairs = (width + 1) / 2 * 2 + 1;
  for (int64_t j = 0; j < pairs; j++, to += channels) dotJoin(pixel(j - 1), pixel(j), channels, to);
}

/** Sums one kernel row, for kChannels channels of x and one vector of dy's, over a band of each of `images` images. */
template <int kStride, int kKernel, int kChannels>
GNBENCH_INLINE void dotSum(const ConvPass& pass, const DotBand& band, int64_t images, const uint32_t* x,
                           const uint32_t* dy, bool start, float* sums) {
  const int64_t in = pass.in.channels, out = pass.out.channels, pairs = band.xPairs;
  Floats sum[kKernel][kChannels] = {};
  for (int64_t n = 0; n < images; n++) {
    for (int64_t h = 0; h < band.dyRows; h++) {
      const uint32_t* xRow = x + (n * band.xRows + h * kStride) * band.xRow;
      const uint32_t* dyRow = dy + (n * band.dyRows + h) * band.dyRow;
      for (int64_t j = 0; j < pairs; j++, xRow += in, dyRow += 2 * out) {
        // Pairs of dy that begin at columns 2j - 1, 2j and 2j + 1.
        const Floats before = *(const LooseFloats*)dyRow, here = *(const LooseFloats*)(dyRow + out),
                     after = *(const LooseFloats*)(dyRow + 2 * out);
#pragma GCC unroll 16
        for (int c = 0; c < kChannels; c++) {
          const Floats value = (Floats)_mm512_set1_epi32((int)xRow[c]);
          if (kKernel == 1) {
            sum[0][c] = dot(sum[0][c], value, here);
          } else if (kStride == 1) {
            sum[0][c] = dot(sum[0][c], value, after);
            sum[kKernel / 2][c] = dot(sum[kKernel / 2][c], value, here);
            sum[kKernel - 1][c] = dot(sum[kKernel - 1][c], value, before);
          } else {
            // Columns 2w meet the middle tap; columns 2w + 1 the last tap of output w and the first of w + 1.
            const Floats odd = (Floats)_mm512_set1_epi32((int)xRow[pairs * in + c]);
            sum[0][c] = dot(sum[0][c], odd, after);
            sum[kKernel / 2][c] = dot(sum[kKernel / 2][c], value, here);
            sum[kKernel - 1][c] = dot(sum[kKernel - 1][c], odd, here);
          }
        }
      }
    }
  }
  for (int s = 0; s < kKernel; s++) {
    for (int c = 0; c < kChannels; c++) {
      LooseFloats* target = (LooseFloats*)(sums + (s * in + c) * out);
      *target = start ? sum[s][c] : sum[s][c] + *target;
    }
  }
}

template <int kStride, int kKernel>
void dotFilterBand(const ConvPass& pass, const DotBand& band, int64_t images, const uint32_t* x, const uint32_t* dy,
                   bool start, float* sums) {
  const int64_t in = pass.in.channels, out = pass.out.channels;
  for (int64_t r = 0; r < kKernel; r++) {
    for (int64_t k = 0; k < out; k += kLanes) {
      for (int64_t c = 0; c < in;) {
        const uint32_t* from = x + r * band.xRow + c;
        float* target = sums + (r * kKernel * in + c) * out + k;
        if (c + 8 <= in) {
          dotSum<kStride, kKernel, 8>(pass, band, images, from, dy + k, start, target), c += 8;
        } else if (c + 3 <= in) {
          dotSum<kStride, kKernel, 3>(pass, band, images, from, dy + k, start, target), c += 3;
        } else {
          dotSum<kStride, kKernel, 1>(pass, band, images, from, dy + k, start, target), c += 1;
        }
      }
    }
  }
}

/** As many rows as the first-level cache holds the copies of, or as many images with all their rows. */
inline FilterBand dotFilterBandOf(const ConvPass& pass) {
  constexpr int64_t kWords = 6144;
  const DotBand one = dotBand(pass, 1);
  const int64_t fit = kWords / (one.xRow * pass.stride + one.dyRow) + 1;
  const int64_t height = pass.out.height, bands = (height + fit - 1) / fit;
  return {(height + bands - 1) / bands, bands > 1 ? 1 : fit / height};
}

/** Values of float32 in the sums of dotFilter: the gradient itself. */
inline int64_t dotFilterSums(const ConvPass& pass) {
  return pass.kernel * pass.kernel * pass.in.channels * pass.out.channels;
}

/** Room for dotFilter, in bytes. */
inline int64_t dotFilterScratch(const ConvPass& pass, int64_t images, int64_t rows) {
  const DotBand band = dotBand(pass, rows);
  return images * (band.xRows * band.xRow + band.dyRows * band.dyRow) * 4;
}

/**
 * Sets (`start`) or adds to the sums of all weights over the output rows [begin, begin + rows) of `images` images;
 * several images only with all their rows.
 */
inline void dotFilter(const ConvPass& pass, const uint16_t* x, const uint16_t* dy, int64_t images, int64_t begin,
                      int64_t rows, bool start, float* sums, void* scratch) {
  const DotBand band = dotBand(pass, rows);
  uint32_t* xPairs = (uint32_t*)scratch;
  uint32_t* dyPairs = xPairs + images * band.xRows * band.xRow;
  const int64_t inSize = pass.in.height * pass.in.width * pass.in.channels;
  const int64_t outSize = pass.out.height * pass.out.width * pass.out.channels;
  for (int64_t n = 0; n < images; n++) {
    for (int64_t i = 0; i < band.xRows; i++)
      dotCopyX(pass, x + n * inSize, begin * pass.stride - pass.kernel / 2 + i, xPairs + (n * band.xRows + i) * band.xRow);
    for (int64_t i = 0; i < rows; i++)
      dotCopyDy(pass, dy + n * outSize, begin + i, dyPairs + (n * rows + i) * band.dyRow);
  }
  if (pass.kernel == 3 && pass.stride == 1) dotFilterBand<1, 3>(pass, band, images, xPairs, dyPairs, start, sums);
  if (pass.kernel == 3 && pass.stride == 2) dotFilterBand<2, 3>(pass, band, images, xPairs, dyPairs, start, sums);
  if (pass.kernel == 1 && pass.stride == 1) dotFilterBand<1, 1>(pass, band, images, xPairs, dyPairs, start, sums);
  if (pass.kernel == 1 && pass.stride == 2) dotFilterBand<2, 1>(pass, band, images, xPairs, dyPairs, start, sums);
}

inline void dotFilterEnd(const ConvPass& pass, const float* sums, float* gradient) {
  const int64_t count = dotFilterSums(pass);
  for (int64_t i = 0; i < count; i += kLanes) Float32::store(gradient + i, Float32::load(sums + i));
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
