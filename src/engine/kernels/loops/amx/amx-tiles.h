// The tile unit (AMX): its configuration, and the reordering of bfloat16 values that its operands need.
#pragma once
#include "loops.h"
#include "vector.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** All eight tiles 16 rows of 64 bytes. Configured anew each time: a library may have set them otherwise. */
GNBENCH_INLINE void configureTiles() {
  struct alignas(64) {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } config = {};
  config.palette = 1;
  for (int i = 0; i < 8; i++) {
    config.bytes[i] = 64;
    config.rows[i] = 16;
  }
  _tile_loadconfig(&config);
}

GNBENCH_INLINE void clearTiles() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

GNBENCH_INLINE void storeTiles(float* sums) {
  _tile_stored(0, sums, 64);
  _tile_stored(1, sums + 256, 64);
  _tile_stored(2, sums + 512, 64);
  _tile_stored(3, sums + 768, 64);
}

/** a0 b0 a1 b1 …: pairs as the tile unit multiplies them. */
GNBENCH_INLINE __m512i interleave(__m256i a, __m256i b) {
  return _mm512_or_si512(_mm512_cvtepu16_epi32(a), _mm512_slli_epi32(_mm512_cvtepu16_epi32(b), 16));
}

/** Counts are of values and need be no multiple of anything. */
GNBENCH_INLINE void copy(uint16_t* to, const uint16_t* from, int64_t count) {
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) _mm512_storeu_si512(to + i, _mm512_loadu_si512(from + i));
  if (i < count) {
    const __mmask32 rest = (__mmask32)((1ull << (count - i)) - 1);
    _mm512_mask_storeu_epi16(to + i, rest, _mm512_maskz_loadu_epi16(rest, from + i));
  }
}

GNBENCH_INLINE void clear(uint16_t* to, int64_t count) {
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) _mm512_storeu_si512(to + i, _mm512_setzero_si512());
  if (i < count) _mm512_mask_storeu_epi16(to + i, (__mmask32)((1ull << (count - i)) - 1), _mm512_setzero_si512());
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
