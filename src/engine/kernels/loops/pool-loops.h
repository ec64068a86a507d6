// Max-pooling over rows of outputs, and its gradient over rows of inputs. The forward pass writes down which tap of its
// window each output is; with that the gradient needs neither input nor output, and writes every value of dx once.
#pragma once
#include "loops.h"
#include "vector.h"

namespace gnbench {
namespace GNBENCH_ISA {

typedef uint8_t Bytes __attribute__((vector_size(kLanes)));
typedef uint8_t LooseBytes __attribute__((vector_size(kLanes), aligned(1), may_alias));

template <bool kPart>
GNBENCH_INLINE Words getTaps(const uint8_t* p, int count) {
  if (kPart) {
    Words taps = {};
    for (int i = 0; i < count; i++) taps[i] = p[i];
    return taps;
  }
#if defined(__AVX512F__)
  return (Words)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p));
#elif defined(__AVX2__)
  return (Words)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p));
#else
  return __builtin_convertvector(*(const LooseBytes*)p, Words);
#endif
}

template <bool kPart>
GNBENCH_INLINE void putTaps(uint8_t* p, Words taps, int count) {
  if (kPart) {
    for (int i = 0; i < count; i++) p[i] = (uint8_t)taps[i];
    return;
  }
#if defined(__AVX512F__)
  _mm_storeu_si128((__m128i*)p, _mm512_cvtepi32_epi8((__m512i)taps));
#else
  *(LooseBytes*)p = __builtin_convertvector(taps, Bytes);
#endif
}

/** Takes `value` and its tap where it is larger than the largest so far. A NaN is, and stays one: as in relu, it has to show. */
GNBENCH_INLINE void takeLarger(Floats value, uint32_t tap, Floats& largest, Words& taps) {
#if defined(__AVX512F__)
  const __mmask16 take = _mm512_cmp_ps_mask((__m512)value, (__m512)largest, _CMP_GT_OQ) |
                         _mm512_cmp_ps_mask((__m512)value, (__m512)value, _CMP_UNORD_Q);
  largest = (Floats)_mm512_mask_mov_ps((__m512)largest, take, (__m512)value);
  taps = (Words)_mm512_mask_set1_epi32((__m512i)taps, take, (int)tap);
#else
  const auto take = (value > largest) | (value != value);
  largest = take ? value : largest;
  taps = take ? Words{} + tap : taps;
#endif
}

/** Windows along one axis: the taps of window `out` that lie within the image are [first, last). */
struct WindowTaps {
  int64_t start, first, last;
  WindowTaps(int64_t out, int64_t size, int64_t kernel, int64_t stride, int64_t padding) {
    start = out * stride - padding;
    first = start < 0 ? -start : 0;
    last = size - start < kernel ? size - start : kernel;
  }
};

/** The windows [first, last) along one axis that an input lies in; from one input to the next they only move on. */
struct WindowsOf {
  int64_t first = 0, last = 0;
  void moveTo(int64_t at, int64_t windows, int64_t kernel, int64_t stride, int64_t padding) {
    while (last < windows && last * stride - padding <= at) last++;
    while (first < last && first * stride - padding + kernel <= at) first++;
  }
};

template <class S, class B>
GNBENCH_INLINE void maxPoolBlock(const Pool& pool, const typename S::Type* x, typename S::Type* y, uint8_t* taps,
                                 int64_t row, int rest) {
  constexpr int V = B::kVectors;
  const int64_t channels = pool.in.channels, line = pool.in.width * channels;
  const WindowTaps rows(row, pool.in.height, pool.kernel[0], pool.stride[0], pool.padding[0]);
  for (int64_t column = 0; column < pool.out.width; column++, y += channels, taps += channels) {
    const WindowTaps columns(column, pool.in.width, pool.kernel[1], pool.stride[1], pool.padding[1]);
    const typename S::Type* window = x + rows.start * line + columns.start * channels;
    Floats largest[V];
    Words tap[V];
    for (int v = 0; v < V; v++) {
      largest[v] = get<S, B::kPart>(window + rows.first * line + columns.first * channels + v * kLanes, rest);
      tap[v] = Words{} + (uint32_t)(rows.first * pool.kernel[1] + columns.first);
    }
    for (int64_t r = rows.first; r < rows.last; r++) {
      for (int64_t s = columns.first; s < columns.last; s++) {
        for (int v = 0; v < V; v++) {
          takeLarger(get<S, B::kPart>(window + r * line + s * channels + v * kLanes, rest),
                     (uint32_t)(r * pool.kernel[1] + s), largest[v], tap[v]);
        }
      }
    }
    for (int v = 0; v < V; v++) {
      put<S, B::kPart>(y + v * kLanes, largest[v], rest);
      putTaps<B::kPart>(taps + v * kLanes, tap[v], rest);
    }
  }
}

/** The rows [begin, end) of one image's outputs. */
template <class S>
void maxPool(const Pool& pool, const void* x, void* y, uint8_t* taps, int64_t begin, int64_t end) {
  typedef typename S::Type T;
  const int64_t line = pool.out.width * pool.out.channels;
  for (int64_t row = begin; row < end; row++) {
    eachBlock(pool.in.channels, [&](auto block, int64_t c, int rest) __attribute__((always_inline)) {
      maxPoolBlock<S, decltype(block)>(pool, (const T*)x + c, (T*)y + row * line + c, taps + row * line + c, row, rest);
    });
  }
}

template <class S, class B>
GNBENCH_INLINE void maxPoolGradientBlock(const Pool& pool, const typename S::Type* dy, const uint8_t* taps,
                                         typename S::Type* dx, int64_t row, const WindowsOf& rows, int rest) {
  constexpr int V = B::kVectors;
  const int64_t channels = pool.in.channels, line = pool.out.width * channels;
  WindowsOf columns;
  for (int64_t column = 0; column < pool.in.width; column++, dx += channels) {
    columns.moveTo(column, pool.out.width, pool.kernel[1], pool.stride[1], pool.padding[1]);
    Floats sum[V] = {};
    for (int64_t r = rows.first; r < rows.last; r++) {
      const int64_t tapRow = (row + pool.padding[0] - r * pool.stride[0]) * pool.kernel[1];
      for (int64_t s = columns.first; s < columns.last; s++) {
        const Words wanted = Words{} + (uint32_t)(tapRow + column + pool.padding[1] - s * pool.stride[1]);
        const int64_t at = r * line + s * channels;
        for (int v = 0; v < V; v++) {
          const Words tap = getTaps<B::kPart>(taps + at + v * kLanes, rest);
          sum[v] += tap == wanted ? get<S, B::kPart>(dy + at + v * kLanes, rest) : zero();
        }
      }
    }
    for (int v = 0; v < V; v++) put<S, B::kPart>(dx + v * kLanes, sum[v], rest);
  }
}

/** The rows [begin, end) of one image's dx. */
template <class S>
void maxPoolGradient(const Pool& pool, const void* dy, const uint8_t* taps, void* dx, int64_t begin, int64_t end) {
  typedef typename S::Type T;
  const int64_t line = pool.in.width * pool.in.channels;
  WindowsOf rows;
  for (int64_t row = begin; row < end; row++) {
    rows.moveTo(row, pool.out.height, pool.kernel[0], pool.stride[0], pool.padding[0]);
    eachBlock(pool.in.channels, [&](auto block, int64_t c, int rest) __attribute__((always_inline)) {
      maxPoolGradientBlock<S, decltype(block)>(pool, (const T*)dy + c, taps + c, (T*)dx + row * line + c, row, rows, rest);
    });
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
