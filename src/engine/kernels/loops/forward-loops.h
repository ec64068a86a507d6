// The forward pass over rows: sums for the statistics, then the affine with residual and ReLU in it.
#pragma once
#include "loops.h"
#include "vector.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Rows that are summed in float32 before they go on in float64. */
constexpr int64_t kShortSum = 256;

/** Adds the lanes of `count` vectors (the rows' partial sums) to sum[0 … lanes). */
template <int kCount>
GNBENCH_INLINE void addLanes(const Floats* part, double* sum, int lanes) {
  Floats total = part[0];
  for (int i = 1; i < kCount; i++) total += part[i];
  for (int i = 0; i < lanes; i++) sum[i] += (double)total[i];
}

/**
 * Sums go through a block of channels from the first row to the last, in strides that no prefetcher follows; so memory is
 * asked for what lies this many rows ahead, into the second-level cache. Beyond a chunk, that is the next one's beginning.
 */
constexpr int64_t kRowsAhead = 8;

template <class T>
GNBENCH_INLINE void prefetch(const T* at) {
  __builtin_prefetch(at, 0, 2);
}

template <class S, class B>
GNBENCH_INLINE void sumBlock(const typename S::Type* x, int64_t rows, int64_t stride, int rest, const float* shift,
                             double* first, double* second) {
  constexpr int V = B::kVectors, U = V == 1 ? 4 : 2;  // enough independent chains to hide the latency of an addition
  const int lanes = B::kPart ? rest : kLanes;
  Floats k[V];
  for (int v = 0; v < V; v++) k[v] = get<Float32, B::kPart>(shift + v * kLanes, rest);
  for (int64_t start = 0; start < rows; start += kShortSum) {
    const int64_t end = start + kShortSum < rows ? start + kShortSum : rows;
    Floats s[V][U] = {}, q[V][U] = {};
    int64_t row = start;
    for (; row + U <= end; row += U, x += U * stride) {
      for (int u = 0; u < U; u++) {
        for (int v = 0; v < V; v++) {
          prefetch(x + (u + kRowsAhead) * stride + v * kLanes);
          const Floats d = get<S, B::kPart>(x + u * stride + v * kLanes, rest) - k[v];
          s[v][u] += d;
          q[v][u] += d * d;
        }
      }
    }
    for (; row < end; row++, x += stride) {
      for (int v = 0; v < V; v++) {
        const Floats d = get<S, B::kPart>(x + v * kLanes, rest) - k[v];
        s[v][0] += d;
        q[v][0] += d * d;
      }
    }
    for (int v = 0; v < V; v++) {
      addLanes<U>(s[v], first + v * kLanes, lanes);
      addLanes<U>(q[v], second + v * kLanes, lanes);
    }
  }
}

template <class S>
void sum(const void* x, int64_t rows, int64_t channels, const float* shift, Sums sums) {
  eachBlock(channels, [&](auto block, int64_t c, int rest) __attribute__((always_inline)) {
    sumBlock<S, decltype(block)>((const typename S::Type*)x + c, rows, channels, rest, shift + c, sums.first + c,
                                 sums.second + c);
  });
}

/**
 * Calls `body(block, first channel, lanes of a partial block, first row, rows)` for what a pass without sums takes at a
 * time: rows of many channels come one by one, so that memory is gone through as it lies.
 */
template <class Body>
GNBENCH_INLINE void eachRowOrBlock(int64_t rows, int64_t channels, Body body) {
  constexpr int64_t kFewChannels = 64;
  const int64_t step = channels > kFewChannels ? 1 : rows;
  for (int64_t row = 0; row < rows; row += step) {
    eachBlock(channels, [&](auto block, int64_t c, int rest)
                            __attribute__((always_inline)) { body(block, c, rest, row, step); });
  }
}

template <class S, class B, bool kResidual, bool kRelu>
GNBENCH_INLINE void affineBlock(const typename S::Type* x, const typename S::Type* residual, typename S::Type* y,
                                int64_t rows, int64_t stride, int rest, Affine affine, int64_t c) {
  constexpr int V = B::kVectors;
  Floats k[V], a[V], b[V];
  for (int v = 0; v < V; v++) {
    k[v] = affine.shift ? get<Float32, B::kPart>(affine.shift + c + v * kLanes, rest) : zero();
    a[v] = get<Float32, B::kPart>(affine.scale + c + v * kLanes, rest);
    b[v] = get<Float32, B::kPart>(affine.offset + c + v * kLanes, rest);
  }
  for (int64_t row = 0; row < rows; row++, x += stride, y += stride) {
    for (int v = 0; v < V; v++) {
      Floats value = (get<S, B::kPart>(x + v * kLanes, rest) - k[v]) * a[v] + b[v];
      if (kResidual) value += get<S, B::kPart>(residual + v * kLanes, rest);
      if (kRelu) value = relu(value);
      put<S, B::kPart>(y + v * kLanes, value, rest);
    }
    if (kResidual) residual += stride;
  }
}

template <class S, bool kResidual, bool kRelu>
void affineRows(const void* x, const void* residual, void* y, int64_t rows, int64_t channels, Affine affine) {
  typedef typename S::Type T;
  eachRowOrBlock(rows, channels, [&](auto block, int64_t c, int rest, int64_t row, int64_t count)
                                     __attribute__((always_inline)) {
    const int64_t at = row * channels + c;
    affineBlock<S, decltype(block), kResidual, kRelu>((const T*)x + at, kResidual ? (const T*)residual + at : 0,
                                                      (T*)y + at, count, channels, rest, affine, c);
  });
}

template <class S>
void affine(const void* x, const void* residual, void* y, int64_t rows, int64_t channels, Affine affine, bool relu) {
  if (residual) {
    if (relu) {
      affineRows<S, true, true>(x, residual, y, rows, channels, affine);
    } else {
      affineRows<S, true, false>(x, residual, y, rows, channels, affine);
    }
  } else if (relu) {
    affineRows<S, false, true>(x, 0, y, rows, channels, affine);
  } else {
    affineRows<S, false, false>(x, 0, y, rows, channels, affine);
  }
}

template <class S>
void row(const void* x, int64_t channels, float* out) {
  eachBlock(channels, [&](auto block, int64_t c, int rest) __attribute__((always_inline)) {
    for (int v = 0; v < decltype(block)::kVectors; v++) {
      const int64_t at = c + v * kLanes;
      put<Float32, decltype(block)::kPart>(out + at,
                                           get<S, decltype(block)::kPart>((const typename S::Type*)x + at, rest), rest);
    }
  });
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
