// The tile unit's instructions in plain C++, for processors that have none: what they do to the eight tiles of 16 rows of 64
// bytes that the kernels configure. Include it before the loops of the tile unit.
#pragma once
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace emulated {

struct Tile {
  uint8_t rows[16][64];
};
inline Tile tiles[8];

inline void load(int tile, const void* from, int64_t stride) {
  for (int i = 0; i < 16; i++) memcpy(tiles[tile].rows[i], static_cast<const char*>(from) + i * stride, 64);
}
inline void store(int tile, void* to, int64_t stride) {
  for (int i = 0; i < 16; i++) memcpy(static_cast<char*>(to) + i * stride, tiles[tile].rows[i], 64);
}
inline void zero(int tile) { memset(&tiles[tile], 0, sizeof(Tile)); }

inline float widened(uint16_t value) {
  const uint32_t bits = static_cast<uint32_t>(value) << 16;
  float out;
  memcpy(&out, &bits, sizeof out);
  return out;
}

/** c[i][j] += Σ a[i][2k] · b[k][2j] + a[i][2k + 1] · b[k][2j + 1], pairs of bfloat16 into sums of float32. */
inline void multiply(int c, int a, int b) {
  for (int i = 0; i < 16; i++) {
    float sums[16];
    uint16_t left[32];
    memcpy(sums, tiles[c].rows[i], 64);
    memcpy(left, tiles[a].rows[i], 64);
    for (int k = 0; k < 16; k++) {
      uint16_t right[32];
      memcpy(right, tiles[b].rows[k], 64);
      for (int j = 0; j < 16; j++) {
        sums[j] += widened(left[2 * k]) * widened(right[2 * j]);
        sums[j] += widened(left[2 * k + 1]) * widened(right[2 * j + 1]);
      }
    }
    memcpy(tiles[c].rows[i], sums, 64);
  }
}

}  // namespace emulated

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig(config) ((void)(config))
#define _tile_release() ((void)0)
#define _tile_zero(tile) emulated::zero(tile)
#define _tile_loadd(tile, from, stride) emulated::load(tile, from, stride)
#define _tile_stored(tile, to, stride) emulated::store(tile, to, stride)
#define _tile_dpbf16ps(c, a, b) emulated::multiply(c, a, b)
