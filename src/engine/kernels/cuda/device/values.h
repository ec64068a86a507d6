// The two formats in which activations are stored; arithmetic is float32 in both. bfloat16 is taken apart by its bits, as
// CUDA's own header for it does not come with NVRTC.
#pragma once

struct BFloat16 {
  unsigned short bits;
};

__device__ inline float widen(float value) { return value; }
__device__ inline float widen(BFloat16 value) { return __uint_as_float((unsigned)value.bits << 16); }

__device__ inline void narrow(float value, float* out) { *out = value; }
/** To the nearest, ties to even; a NaN stays one. */
__device__ inline void narrow(float value, BFloat16* out) {
  const unsigned bits = __float_as_uint(value);
  const bool isNan = (bits & 0x7fffffffu) > 0x7f800000u;
  out->bits = (unsigned short)(isNan ? 0x7fc0u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/** max(value, 0), through which a NaN passes. */
__device__ inline float rectified(float value) { return value < 0.f ? 0.f : value; }
