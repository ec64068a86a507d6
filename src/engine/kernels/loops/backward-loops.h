// The backward pass over rows: sums of dy and dy · (x - mean), then dx as one affine of dy and x.
#pragma once
#include "loops/forward-loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

template <class S, class B, bool kRelu, bool kMasked>
GNBENCH_INLINE void gradientSumBlock(const typename S::Type* dy, const typename S::Type* x, const typename S::Type* y,
                                     typename S::Type* masked, int64_t rows, int64_t stride, int rest,
                                     const float* shift, double* first, double* second) {
  constexpr int V = B::kVectors, U = V == 1 ? 4 : 2;
  const int lanes = B::kPart ? rest : kLanes;
  Floats k[V];
  for (int v = 0; v < V; v++) k[v] = get<Float32, B::kPart>(shift + v * kLanes, rest);
  const auto step = [&](int64_t at, Floats& s, Floats& q, Floats center) __attribute__((always_inline)) {
    const int64_t ahead = at + kRowsAhead * stride;
    prefetch(dy + ahead);
    prefetch(x + ahead);
    if (kRelu) prefetch(y + ahead);
    Floats g = get<S, B::kPart>(dy + at, rest);
    if (kRelu) g = wherePositive(get<S, B::kPart>(y + at, rest), g);
    if (kMasked) put<S, B::kPart>(masked + at, g, rest);
    s += g;
    q += g * (get<S, B::kPart>(x + at, rest) - center);
  };
  for (int64_t start = 0; start < rows; start += kShortSum) {
    const int64_t end = start + kShortSum < rows ? start + kShortSum : rows;
    Floats s[V][U] = {}, q[V][U] = {};
    int64_t row = start;
    for (; row + U <= end; row += U)
      for (int u = 0; u < U; u++)
        for (int v = 0; v < V; v++) step((row + u) * stride + v * kLanes, s[v][u], q[v][u], k[v]);
    for (; row < end; row++)
      for (int v = 0; v < V; v++) step(row * stride + v * kLanes, s[v][0], q[v][0], k[v]);
    for (int v = 0; v < V; v++) {
      addLanes<U>(s[v], first + v * kLanes, lanes);
      addLanes<U>(q[v], second + v * kLanes, lanes);
    }
  }
}

template <class S, bool kRelu, bool kMasked>
void gradientSumRows(const void* dy, const void* x, const void* y, void* masked, int64_t rows, int64_t channels,
                     const float* shift, Sums sums) {
  typedef typename S::Type T;
  eachBlock(channels, [&](auto block, int64_t c, int rest) __attribute__((always_inline)) {
    gradientSumBlock<S, decltype(block), kRelu, kMasked>(
        (const T*)dy + c, (const T*)x + c, kRelu ? (const T*)y + c : 0, kMasked ? (T*)masked + c : 0, rows, channels,
        rest, shift + c, sums.first + c, sums.second + c);
  });
}

template <class S>
void gradientSum(const void* dy, const void* x, const void* y, void* masked, int64_t rows, int64_t channels,
                 const float* shift, Sums sums) {
  if (y && masked) {
    gradientSumRows<S, true, true>(dy, x, y, masked, rows, channels, shift, sums);
  } else if (y) {
    gradientSumRows<S, true, false>(dy, x, y, 0, rows, channels, shift, sums);
  } else {
    gradientSumRows<S, false, false>(dy, x, 0, 0, rows, channels, shift, sums);
  }
}

template <class S, class B, bool kRelu>
GNBENCH_INLINE void gradientAffineBlock(const typename S::Type* dy, const typename S::Type* x,
                                        const typename S::Type* y, typename S::Type* dx, int64_t rows, int64_t stride,
                                        int rest, GradientAffine affine, int64_t c) {
  constexpr int V = B::kVectors;
  Floats k[V], a[V], q[V], p[V];
  for (int v = 0; v < V; v++) {
    k[v] = get<Float32, B::kPart>(affine.shift + c + v * kLanes, rest);
    a[v] = get<Float32, B::kPart>(affine.scale + c + v * kLanes, rest);
    q[v] = get<Float32, B::kPart>(affine.slope + c + v * kLanes, rest);
    p[v] = get<Float32, B::kPart>(affine.constant + c + v * kLanes, rest);
  }
  for (int64_t row = 0; row < rows; row++, dy += stride, x += stride, dx += stride) {
    for (int v = 0; v < V; v++) {
      Floats g = get<S, B::kPart>(dy + v * kLanes, rest);
      if (kRelu) g = wherePositive(get<S, B::kPart>(y + v * kLanes, rest), g);
      const Floats centered = get<S, B::kPart>(x + v * kLanes, rest) - k[v];
      put<S, B::kPart>(dx + v * kLanes, g * a[v] - (centered * q[v] + p[v]), rest);
    }
    if (kRelu) y += stride;
  }
}

template <class S, bool kRelu>
void gradientAffineRows(const void* dy, const void* x, const void* y, void* dx, int64_t rows, int64_t channels,
                        GradientAffine affine) {
  typedef typename S::Type T;
  eachRowOrBlock(rows, channels, [&](auto block, int64_t c, int rest, int64_t row, int64_t count)
                                     __attribute__((always_inline)) {
    const int64_t at = row * channels + c;
    gradientAffineBlock<S, decltype(block), kRelu>((const T*)dy + at, (const T*)x + at, kRelu ? (const T*)y + at : 0,
                                                   (T*)dx + at, count, channels, rest, affine, c);
  });
}

template <class S>
void gradientAffine(const void* dy, const void* x, const void* y, void* dx, int64_t rows, int64_t channels,
                    GradientAffine affine) {
  if (y) {
    gradientAffineRows<S, true>(dy, x, y, dx, rows, channels, affine);
  } else {
    gradientAffineRows<S, false>(dy, x, 0, dx, rows, channels, affine);
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
