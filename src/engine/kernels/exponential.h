// exp() that the compiler computes for as many numbers at a time as its instructions take.
#pragma once
#include <string.h>

#include "loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** e^x within two units in the last place, for x up to 88; below −87 that of −87, and NaN for NaN. */
inline float exponential(float x) {
  constexpr float kRound = 12582912.f;  // 1.5 · 2^23: a number below 2^22 loses its fraction when this is added
  const float bounded = x < -87.f ? -87.f : x;
  const float shifted = bounded * 1.44269504f + kRound;
  const float power = shifted - kRound;
  const float rest = (bounded - power * 0.693359375f) + power * 2.12194440e-4f;  // ln 2 in two parts
  float series = 1.f / 5040;
  series = series * rest + 1.f / 720;
  series = series * rest + 1.f / 120;
  series = series * rest + 1.f / 24;
  series = series * rest + 1.f / 6;
  series = series * rest + 0.5f;
  series = series * (rest * rest) + rest + 1.f;
  int32_t bits;
  memcpy(&bits, &shifted, sizeof(bits));
  const int32_t exponent = static_cast<int32_t>((static_cast<uint32_t>(bits) + 127u) << 23);
  float scale;
  memcpy(&scale, &exponent, sizeof(scale));
  return series * scale;
}

/** log(1 + e) for e from 0 to 1: twice the inverse hyperbolic tangent of e / (2 + e), as a series. */
inline float logarithmOfOneAnd(float e) {
  const float s = e / (2.f + e), square = s * s;
  float series = 1.f / 17;
  series = series * square + 1.f / 15;
  series = series * square + 1.f / 13;
  series = series * square + 1.f / 11;
  series = series * square + 1.f / 9;
  series = series * square + 1.f / 7;
  series = series * square + 1.f / 5;
  series = series * square + 1.f / 3;
  return 2.f * s + 2.f * s * square * series;
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
