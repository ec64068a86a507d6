// The gradient of a convolution's weights in bfloat16 on the tile unit: for each tap a product of dy, transposed to
// [channel, pixel], with x, [pixel pairs, channel, 2]. Pairs that begin at odd pixels lie beside those at even ones: then no tile
// straddles cache lines.
#pragma once
#include "loops/amx/amx-band.h"
#include "loops/conv-filter-loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** The pixel at a position, up to 16 channels of it, each in the lower half of 32 bits. */
GNBENCH_INLINE __m512i amxPixel(const uint16_t* data, int32_t at, __mmask16 channels) {
  if (at < 0) return _mm512_setzero_si512();
  return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(channels, data + at));
}

GNBENCH_INLINE __m512i amxJoin(__m512i first, __m512i second) {
  return _mm512_or_si512(first, _mm512_slli_epi32(second, 16));
}

/** [position, 16 channels] → [16 channels, line]. */
GNBENCH_INLINE void amxTranspose(const uint16_t* data, const int32_t* at, int64_t chunks, int64_t line,
                                 uint16_t* transposed) {
  alignas(64) uint32_t pairs[256];
  for (int64_t chunk = 0; chunk < chunks; chunk++, at += 32) {
    for (int i = 0; i < 16; i++)
      _mm512_store_si512(pairs + 16 * i,
                         amxJoin(amxPixel(data, at[2 * i], 0xffff), amxPixel(data, at[2 * i + 1], 0xffff)));
    transposeBlock((const float*)pairs, 16, (float*)(transposed + chunk * 32), line / 2);
  }
}

/** The pairs that begin at even positions, then, `count` pairs further, those that begin at odd ones. */
GNBENCH_INLINE void amxPairs(const uint16_t* data, const int32_t* at, int64_t count, __mmask16 channels,
                             uint16_t* pairs) {
  __m512i even = amxPixel(data, at[0], channels);
  for (int64_t i = 0; i < count; i++, pairs += 32) {
    const __m512i odd = amxPixel(data, at[2 * i + 1], channels);
    _mm512_store_si512(pairs, amxJoin(even, odd));
    even = amxPixel(data, at[2 * i + 2], channels);
    _mm512_store_si512(pairs + count * 32, amxJoin(odd, even));
  }
}

/** Sums of kTaps taps over all chunks, in as many tiles. */
template <int kTaps>
GNBENCH_INLINE void amxSum(const uint16_t* a, int64_t line, const uint16_t* const* b, int64_t chunks, bool start,
                           float* const* sums) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  if (!start) {
    _tile_loadd(0, sums[0], 64);
    if (kTaps > 1) _tile_loadd(1, sums[1], 64);
    if (kTaps > 2) _tile_loadd(2, sums[2], 64);
    if (kTaps > 3) _tile_loadd(3, sums[3], 64);
    if (kTaps > 4) _tile_loadd(4, sums[4], 64);
  }
  for (int64_t i = 0; i < chunks; i++) {
    _tile_loadd(5, a + i * 32, line * 2);
    _tile_loadd(6, b[0] + i * 512, 64);
    _tile_dpbf16ps(0, 5, 6);
    if (kTaps > 1) _tile_loadd(7, b[1] + i * 512, 64);
    if (kTaps > 1) _tile_dpbf16ps(1, 5, 7);
    if (kTaps > 2) _tile_loadd(6, b[2] + i * 512, 64);
    if (kTaps > 2) _tile_dpbf16ps(2, 5, 6);
    if (kTaps > 3) _tile_loadd(7, b[3] + i * 512, 64);
    if (kTaps > 3) _tile_dpbf16ps(3, 5, 7);
    if (kTaps > 4) _tile_loadd(6, b[4] + i * 512, 64);
    if (kTaps > 4) _tile_dpbf16ps(4, 5, 6);
  }
  _tile_stored(0, sums[0], 64);
  if (kTaps > 1) _tile_stored(1, sums[1], 64);
  if (kTaps > 2) _tile_stored(2, sums[2], 64);
  if (kTaps > 3) _tile_stored(3, sums[3], 64);
  if (kTaps > 4) _tile_stored(4, sums[4], 64);
}

GNBENCH_INLINE int64_t amxInBlocks(const ConvPass& pass) { return (pass.in.channels + 15) / 16; }

/** Bands whose copies stay in the first-level cache. */
inline FilterBand amxFilterBand(const ConvPass& pass) {
  const int64_t height = pass.out.height, positions = (height + 1) * (pass.out.width + 1);
  const int64_t bands = (positions + 423) / 424, together = 320 / positions;
  return {(height + bands - 1) / bands, bands > 1 || together < 1 ? 1 : together};
}

/** Values of float32 in the sums of amxFilter: [input block, output block, tap, 16 out, 16 in]. */
inline int64_t amxFilterSums(const ConvPass& pass) {
  return pass.kernel * pass.kernel * amxInBlocks(pass) * (pass.out.channels / 16) * 256;
}

/** Room for amxFilter, in bytes. */
inline int64_t amxFilterScratch(const ConvPass& pass, int64_t images, int64_t rows) {
  const AmxBand band = amxBand(pass, images, 0, rows);
  const int64_t positions = amxPositionsOfX(band);
  return amxLine(band) * pass.out.channels * 2 + amxPlanes(pass) * positions / 2 * 128 * amxInBlocks(pass) +
         (positions + 2) * 4;
}

/**
 * Sets (`start`) or adds to the sums of all weights over the output rows [begin, begin + rows) of `images` images;
 * several images only with all their rows.
 */
inline void amxFilter(const ConvPass& pass, const uint16_t* x, const uint16_t* dy, int64_t images, int64_t begin,
                      int64_t rows, bool start, float* sums, void* scratch) {
  const AmxBand band = amxBand(pass, images, begin, rows);
  const int64_t line = amxLine(band), planes = amxPlanes(pass), taps = pass.kernel * pass.kernel;
  const int64_t outBlocks = pass.out.channels / 16, inBlocks = amxInBlocks(pass);
  const int64_t count = amxPositionsOfX(band) / 2, plane = inBlocks * 2 * count * 32;
  uint16_t* transposed = (uint16_t*)scratch;
  uint16_t* pairs = transposed + line * pass.out.channels;
  int32_t* at = (int32_t*)(pairs + planes * plane);

  amxPositions(pass.out, band, rows, begin, 1, 0, 1, band.chunks * 32, at);
  for (int64_t block = 0; block < outBlocks; block++)
    amxTranspose(dy + block * 16, at, band.chunks, line, transposed + block * 16 * line);
  const int64_t pad = pass.kernel / 2;
  for (int64_t i = 0; i < planes; i++) {
    if (planes == 4) {
      const int64_t oddRows = i / 2, oddColumns = i % 2;
      amxPositions(pass.in, band, rows + oddRows, 2 * begin - oddRows, 2, -oddColumns, 2, 2 * count + 1, at);
    } else {
      amxPositions(pass.in, band, rows + 2 * pad, begin * pass.stride - pad, pass.stride, -pad, pass.stride,
                   2 * count + 1, at);
    }
    for (int64_t block = 0; block < inBlocks; block++) {
      const int64_t left = pass.in.channels - block * 16;
      amxPairs(x + block * 16, at, count, (__mmask16)(left < 16 ? (1 << left) - 1 : 0xffff),
               pairs + i * plane + block * 2 * count * 32);
    }
  }

  configureTiles();
  for (int64_t in = 0; in < inBlocks; in++) {
    const uint16_t* b[9];
    for (int64_t t = 0; t < taps; t++) {
      const AmxTap tap = amxTap(pass, band, t / pass.kernel, t % pass.kernel);
      const int64_t parity = tap.offset % 2;
      b[t] = pairs + tap.plane * plane + ((in * 2 + parity) * count + tap.offset / 2) * 32;
    }
    for (int64_t out = 0; out < outBlocks; out++) {
      float* to[9];
      for (int64_t t = 0; t < taps; t++) to[t] = sums + ((in * outBlocks + out) * taps + t) * 256;
      const uint16_t* a = transposed + out * 16 * line;
      if (taps == 1) {
        amxSum<1>(a, line, b, band.chunks, start, to);
      } else {
        amxSum<5>(a, line, b, band.chunks, start, to);
        amxSum<4>(a, line, b + 5, band.chunks, start, to + 5);
      }
    }
  }
  _tile_release();
}

/** The sums as [kernel, kernel, in, out]. */
inline void amxFilterEnd(const ConvPass& pass, const float* sums, float* gradient) {
  const int64_t taps = pass.kernel * pass.kernel, outBlocks = pass.out.channels / 16;
  alignas(64) float tile[256];
  for (int64_t in = 0; in < amxInBlocks(pass); in++) {
    const int64_t left = pass.in.channels - in * 16;
    for (int64_t out = 0; out < outBlocks; out++) {
      for (int64_t t = 0; t < taps; t++, sums += 256) {
        float* to = gradient + (t * pass.in.channels + in * 16) * pass.out.channels + out * 16;
        if (left >= 16) {
          transposeBlock(sums, 16, to, pass.out.channels);
          continue;
        }
        transposeBlock(sums, 16, tile, 16);
        for (int64_t c = 0; c < left; c++)
          Float32::store(to + c * pass.out.channels, Float32::load(tile + c * 16));
      }
    }
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
