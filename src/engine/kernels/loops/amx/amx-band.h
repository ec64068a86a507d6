// Pixels of a band of rows as one line of positions. Rows are counted as width + 1 long: the additional column, where dy is
// zero, keeps a row's edge from meeting the next row's, so that a tap is nothing but an offset into x.
#pragma once
#include "loops/amx/amx-tiles.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Output rows [begin, begin + rows) of each of `images` images, as one line of positions. */
struct AmxBand {
  int64_t images, begin, rows;
  int64_t pitch, length, chunks;  // of a row; of all, and in 32s
};

GNBENCH_INLINE AmxBand amxBand(const ConvPass& pass, int64_t images, int64_t begin, int64_t rows) {
  AmxBand band = {images, begin, rows, pass.out.width + 1, 0, 0};
  band.length = (images * (rows + 1) - 1) * band.pitch;
  band.chunks = (band.length + 31) / 32;
  return band;
}

/** Positions of x: all chunks, and what the largest offset of a tap reaches beyond. */
GNBENCH_INLINE int64_t amxPositionsOfX(const AmxBand& band) { return band.chunks * 32 + 2 * band.pitch + 4; }

/** Values from one channel of the transposed dy to the next: an odd number of cache lines, so that they spread over the cache. */
GNBENCH_INLINE int64_t amxLine(const AmxBand& band) { return (band.chunks | 1) * 32; }

/** x falls into four planes by parity of row and column where the stride is 2; a tap's plane and its offset there. */
GNBENCH_INLINE int64_t amxPlanes(const ConvPass& pass) { return pass.stride == 2 && pass.kernel == 3 ? 4 : 1; }
struct AmxTap {
  int64_t plane, offset;
};
GNBENCH_INLINE AmxTap amxTap(const ConvPass& pass, const AmxBand& band, int64_t r, int64_t s) {
  if (pass.kernel == 1) return {0, 0};
  if (pass.stride == 1) return {0, r * band.pitch + s};
  return {(r != 1) * 2 + (s != 1), r / 2 * band.pitch + s / 2};
}

/** Offset of the pixel at every position, in elements; -1 where there is none. */
GNBENCH_INLINE void amxPositions(const Plane& plane, const AmxBand& band, int64_t lines, int64_t firstRow,
                                 int64_t rowStep, int64_t firstColumn, int64_t columnStep, int64_t count, int32_t* at) {
  for (int64_t i = 0; i < count; i++) at[i] = -1;
  for (int64_t n = 0; n < band.images; n++) {
    for (int64_t line = 0; line < lines; line++) {
      const int64_t row = firstRow + line * rowStep;
      if (row < 0 || row >= plane.height) continue;
      int32_t* to = at + (n * (band.rows + 1) + line) * band.pitch;
      const int64_t base = (n * plane.height + row) * plane.width;
      for (int64_t w = 0; w < band.pitch; w++) {
        const int64_t column = firstColumn + w * columnStep;
        if (column >= 0 && column < plane.width) to[w] = (int32_t)((base + column) * plane.channels);
      }
    }
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
