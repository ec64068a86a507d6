// The gradient of a convolution's weights: for every tap, input channel and vector of output channels a sum over all pixels,
// held in registers for a band of rows; and the weights' transposition for the gradient of its input.
#pragma once
#include "loops/conv-loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Input channels whose sums for all taps of a kernel row fit the registers, beside three output pixels. */
constexpr int kFilterChannels = kLanes == 16 ? 8 : 4;

/**
 * Adds the input pixels of output pixel w (w · stride and, at stride 2, the one after it) to all taps that see them. Each
 * input value is broadcast once. kPrevious, kNext: output pixels w - 1 and w + 1 are in the row; kSecond: so is the
 * second input pixel.
 */
template <int kStride, int kKernel, int kChannels, bool kPrevious, bool kNext, bool kSecond>
GNBENCH_INLINE void addPixel(Floats (&sum)[kKernel][kChannels], const float* x, const float* dy, int64_t w,
                             const ConvPass& pass) {
  constexpr int pad = kKernel / 2;
  Floats near[3] = {};  // output pixels w - 1, w, w + 1
  const float* here = dy + w * pass.out.channels;
  if (kPrevious && pad && kStride == 1) near[0] = *(const LooseFloats*)(here - pass.out.channels);
  near[1] = *(const LooseFloats*)here;
  if (kNext && pad) near[2] = *(const LooseFloats*)(here + pass.out.channels);
#pragma GCC unroll 2
  for (int j = 0; j < kStride; j++) {
    if ((j > 0 && !kSecond) || j > pad) continue;
    const float* pixel = x + (w * kStride + j) * pass.in.channels;
#pragma GCC unroll 16
    for (int c = 0; c < kChannels; c++) {
      const Floats value = broadcast(pixel[c]);
#pragma GCC unroll 4
      for (int s = 0; s < kKernel; s++) {
        const int distance = j + pad - s;
        if (distance % kStride != 0) continue;
        if ((distance < 0 && !kPrevious) || (distance > 0 && !kNext)) continue;
        sum[s][c] += value * near[1 + distance / kStride];
      }
    }
  }
}

/** Rows [begin, end) of each of `images` images: what stays in the first-level cache while all taps go over it. */
struct Band {
  int64_t images, begin, end;
};

/** Kernel row r over one band; `gradient` is set (`start`) or added to. */
template <int kStride, int kKernel, int kChannels>
void filterRows(const ConvPass& pass, Band band, const float* x, const float* dy, int64_t r, bool start,
                float* gradient) {
  const int64_t width = pass.out.width, in = pass.in.channels, out = pass.out.channels;
  const bool whole = width * kStride <= pass.in.width;
  Floats sum[kKernel][kChannels] = {};
  for (int64_t n = 0; n < band.images; n++) {
    for (int64_t h = band.begin; h < band.end; h++) {
      const int64_t row = h * kStride + r - kKernel / 2;
      if (row < 0 || row >= pass.in.height) continue;
      const float* xRow = x + (n * pass.in.height + row) * pass.in.width * in;
      const float* dyRow = dy + (n * pass.out.height + h) * width * out;
      int64_t w = 0;
      if (width > 1) addPixel<kStride, kKernel, kChannels, false, true, true>(sum, xRow, dyRow, w++, pass);
      for (; w + 1 < width; w++) addPixel<kStride, kKernel, kChannels, true, true, true>(sum, xRow, dyRow, w, pass);
      if (width == 1) {
        if (whole) {
          addPixel<kStride, kKernel, kChannels, false, false, true>(sum, xRow, dyRow, w, pass);
        } else {
          addPixel<kStride, kKernel, kChannels, false, false, false>(sum, xRow, dyRow, w, pass);
        }
      } else if (whole) {
        addPixel<kStride, kKernel, kChannels, true, false, true>(sum, xRow, dyRow, w, pass);
      } else {
        addPixel<kStride, kKernel, kChannels, true, false, false>(sum, xRow, dyRow, w, pass);
      }
    }
  }
  for (int s = 0; s < kKernel; s++) {
    for (int c = 0; c < kChannels; c++) {
      LooseFloats* target = (LooseFloats*)(gradient + (s * in + c) * out);
      *target = start ? sum[s][c] : sum[s][c] + *target;
    }
  }
}

template <int kStride, int kKernel>
void filterImages(const ConvPass& pass, const float* x, const float* dy, int64_t images, int64_t firstIn, int64_t lastIn,
                  float* gradient) {
  const int64_t in = pass.in.channels, out = pass.out.channels;
  const int64_t fit = 8192 / (pass.out.width * ((lastIn - firstIn) * kStride * kStride + kLanes)) + 1;  // rows
  const int64_t height = pass.out.height, bands = (height + fit - 1) / fit, rows = (height + bands - 1) / bands;
  const int64_t together = bands > 1 ? 1 : fit / height;
  for (int64_t n = 0; n < images; n += together) {
    const float* xImages = x + n * pass.in.height * pass.in.width * in;
    const float* dyImages = dy + n * height * pass.out.width * out;
    for (int64_t begin = 0; begin < height; begin += rows) {
      const Band band{n + together < images ? together : images - n, begin,
                      begin + rows < height ? begin + rows : height};
      const bool start = n == 0 && begin == 0;
      for (int64_t r = 0; r < kKernel; r++) {
        for (int64_t c = firstIn; c < lastIn;) {
          float* target = gradient + (r * kKernel * in + c) * out;
          if (c + kFilterChannels <= lastIn) {
            filterRows<kStride, kKernel, kFilterChannels>(pass, band, xImages + c, dyImages, r, start, target);
            c += kFilterChannels;
          } else if (c + 3 <= lastIn) {
            filterRows<kStride, kKernel, 3>(pass, band, xImages + c, dyImages, r, start, target), c += 3;
          } else {
            filterRows<kStride, kKernel, 1>(pass, band, xImages + c, dyImages, r, start, target), c += 1;
          }
        }
      }
    }
  }
}

inline void convFilter(const ConvPass& pass, const float* x, const float* dy, int64_t images, int64_t firstIn, int64_t lastIn,
                int64_t channel, float* gradient) {
  dy += channel;
  gradient += channel;
  if (pass.kernel == 3 && pass.stride == 1) filterImages<1, 3>(pass, x, dy, images, firstIn, lastIn, gradient);
  if (pass.kernel == 3 && pass.stride == 2) filterImages<2, 3>(pass, x, dy, images, firstIn, lastIn, gradient);
  if (pass.kernel == 1 && pass.stride == 1) filterImages<1, 1>(pass, x, dy, images, firstIn, lastIn, gradient);
  if (pass.kernel == 1 && pass.stride == 2) filterImages<2, 1>(pass, x, dy, images, firstIn, lastIn, gradient);
}

#if defined(__AVX512F__)
/** 16 × 16 floats: to[i][j] = from[j][i]. */
GNBENCH_INLINE void transposeBlock(const float* from, int64_t fromStride, float* to, int64_t toStride) {
  __m512 a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) a[i] = _mm512_loadu_ps(from + i * fromStride);
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    b[2 * i] = _mm512_unpacklo_ps(a[2 * i], a[2 * i + 1]);
    b[2 * i + 1] = _mm512_unpackhi_ps(a[2 * i], a[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const __m512d p = (__m512d)b[4 * i], q = (__m512d)b[4 * i + 1], r = (__m512d)b[4 * i + 2], s = (__m512d)b[4 * i + 3];
    a[4 * i] = (__m512)_mm512_unpacklo_pd(p, r);
    a[4 * i + 1] = (__m512)_mm512_unpackhi_pd(p, r);
    a[4 * i + 2] = (__m512)_mm512_unpacklo_pd(q, s);
    a[4 * i + 3] = (__m512)_mm512_unpackhi_pd(q, s);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {  // a[4k + i]: rows 4k … 4k + 3 of the columns i, i + 4, i + 8, i + 12
    const __m512 low = _mm512_shuffle_f32x4(a[i], a[i + 4], 0x88), lowOdd = _mm512_shuffle_f32x4(a[i], a[i + 4], 0xdd);
    const __m512 high = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0x88),
                 highOdd = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0xdd);
    _mm512_storeu_ps(to + i * toStride, _mm512_shuffle_f32x4(low, high, 0x88));
    _mm512_storeu_ps(to + (i + 8) * toStride, _mm512_shuffle_f32x4(low, high, 0xdd));
    _mm512_storeu_ps(to + (i + 4) * toStride, _mm512_shuffle_f32x4(lowOdd, highOdd, 0x88));
    _mm512_storeu_ps(to + (i + 12) * toStride, _mm512_shuffle_f32x4(lowOdd, highOdd, 0xdd));
  }
}
#else
GNBENCH_INLINE void transposeBlock(const float* from, int64_t fromStride, float* to, int64_t toStride) {
  for (int i = 0; i < kLanes; i++)
    for (int j = 0; j < kLanes; j++) to[i * toStride + j] = from[j * fromStride + i];
}
#endif

inline void transposeWeights(int64_t taps, int64_t in, int64_t out, const float* weights, float* packed) {
  for (int64_t block = 0; block < in; block += kLanes) {
    for (int64_t tap = 0; tap < taps; tap++) {
      const float* from = weights + (tap * in + block) * out;
      float* to = packed + (block * taps + tap * kLanes) * out;
      for (int64_t k = 0; k < out; k += kLanes) transposeBlock(from + k, out, to + k * kLanes, kLanes);
    }
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
