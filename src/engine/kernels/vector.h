// One register of float32 lanes, as wide as the instruction set that this file is compiled for, and how both storage
// formats get in and out of it. No C++ library header here or in any loop: an inline function of theirs, compiled for
// AVX-512, could be the copy that the linker keeps for everyone.
#pragma once
#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gnbench {
namespace GNBENCH_ISA {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kMaxVectors = 4;  // of 32 registers
#elif defined(__AVX__)
constexpr int kLanes = 8;
constexpr int kMaxVectors = 2;  // of 16
#else
constexpr int kLanes = 4;
constexpr int kMaxVectors = 2;
#endif

#define GNBENCH_INLINE static inline __attribute__((always_inline))

typedef float Floats __attribute__((vector_size(kLanes * 4)));
typedef uint32_t Words __attribute__((vector_size(kLanes * 4)));
typedef float LooseFloats __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef uint16_t LooseHalves __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

GNBENCH_INLINE Floats zero() { return Floats{}; }

/** A NaN stays a NaN: a run that diverges has to show it. */
GNBENCH_INLINE Floats relu(Floats y) {
#if defined(__AVX512F__)
  return (Floats)_mm512_max_ps(_mm512_setzero_ps(), (__m512)y);
#elif defined(__AVX__)
  return (Floats)_mm256_max_ps(_mm256_setzero_ps(), (__m256)y);
#elif defined(__SSE2__)
  return (Floats)_mm_max_ps(_mm_setzero_ps(), (__m128)y);
#else
  return y < zero() ? zero() : y;
#endif
}

GNBENCH_INLINE Floats wherePositive(Floats y, Floats value) { return y > zero() ? value : zero(); }

struct Float32 {
  typedef float Type;
  GNBENCH_INLINE Floats load(const float* p) { return *(const LooseFloats*)p; }
  GNBENCH_INLINE void store(float* p, Floats v) { *(LooseFloats*)p = v; }
  GNBENCH_INLINE Floats loadFirst(const float* p, int count) {
#if defined(__AVX512F__)
    return (Floats)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
#elif defined(__AVX2__)
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (Floats)_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
#else
    Floats v = zero();
    for (int i = 0; i < count; i++) v[i] = p[i];
    return v;
#endif
  }
  GNBENCH_INLINE void storeFirst(float* p, Floats v, int count) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
#else
    for (int i = 0; i < count; i++) p[i] = v[i];
#endif
  }
};

/** The upper half of a float32, rounded to the nearest, ties to even; denormal numbers become 0, as the processors' own
 * instruction has it whatever the thread is set to. */
struct BFloat16 {
  typedef uint16_t Type;
  typedef uint16_t Halves __attribute__((vector_size(kLanes * 2)));
  // The compiler's own widening takes three times as long as the instruction made for it.
  GNBENCH_INLINE Floats widen(Halves h) {
#if defined(__AVX512F__)
    return (Floats)_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)h), 16);
#elif defined(__AVX2__)
    return (Floats)_mm256_slli_epi32(_mm256_cvtepu16_epi32((__m128i)h), 16);
#else
    return (Floats)(__builtin_convertvector(h, Words) << 16);
#endif
  }
  GNBENCH_INLINE Halves narrow(Floats v) {
#if defined(__AVX512BF16__)
    return (Halves)_mm512_cvtneps_pbh((__m512)v);
#else
    const Words bits = (Words)v;
    const Words kept = (bits & 0x7f800000) == 0 ? bits & 0x80000000 : bits;
    const Words rounded = (kept + 0x7fff + ((kept >> 16) & 1)) >> 16;
    const Words quietNaN = (bits >> 16) | 0x40;
#if defined(__AVX512F__)
    return (Halves)_mm512_cvtepi32_epi16((__m512i)(v == v ? rounded : quietNaN));
#else
    return __builtin_convertvector(v == v ? rounded : quietNaN, Halves);
#endif
#endif
  }
  GNBENCH_INLINE Floats load(const uint16_t* p) { return widen(*(const LooseHalves*)p); }
  GNBENCH_INLINE void store(uint16_t* p, Floats v) { *(LooseHalves*)p = narrow(v); }
  GNBENCH_INLINE Floats loadFirst(const uint16_t* p, int count) {
    Halves h = {};
    for (int i = 0; i < count; i++) h[i] = p[i];
    return widen(h);
  }
  GNBENCH_INLINE void storeFirst(uint16_t* p, Floats v, int count) {
    const Halves h = narrow(v);
    for (int i = 0; i < count; i++) p[i] = h[i];
  }
};

/** A full vector, or its first `count` lanes. */
template <class S, bool kPart>
GNBENCH_INLINE Floats get(const typename S::Type* p, int count) {
  return kPart ? S::loadFirst(p, count) : S::load(p);
}
template <class S, bool kPart>
GNBENCH_INLINE void put(typename S::Type* p, Floats v, int count) {
  if (kPart) {
    S::storeFirst(p, v, count);
  } else {
    S::store(p, v);
  }
}

template <int vectors, bool part>
struct Block {
  static constexpr int kVectors = vectors;
  static constexpr bool kPart = part;
};

/**
 * Cuts the channels into blocks of 4, 2 or 1 vectors and a last, partial one, and calls `body(block, first channel,
 * lanes of the partial one)` for each: the parameters of a block stay in registers while its rows go by.
 */
template <class Body>
GNBENCH_INLINE void eachBlock(int64_t channels, Body body) {
  const int rest = (int)(channels % kLanes);
  int64_t first = 0;
  for (; first + kMaxVectors * kLanes <= channels; first += kMaxVectors * kLanes)
    body(Block<kMaxVectors, false>{}, first, 0);
  if (kMaxVectors > 2 && first + 2 * kLanes <= channels) {
    body(Block<2, false>{}, first, 0);
    first += 2 * kLanes;
  }
  if (first + kLanes <= channels) {
    body(Block<1, false>{}, first, 0);
    first += kLanes;
  }
  if (rest > 0) body(Block<1, true>{}, first, rest);
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
