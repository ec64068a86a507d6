// Convolutions in bfloat16 on the processor's tile unit (AMX): forward, and the gradient of the input, as products of
// tiles. A tile of A is 16 pixels × 32 values of a kernel row (its taps' channels, laid side by side in a scratch copy of
// the band), one of B 32 values × 16 output channels, one of C their 16 × 16 sums in float32.
#pragma once
#include "loops/amx/amx-plan.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Rows of the scratch copy for the output rows [begin, begin + rows) (at step 2: pairs of rows). */
GNBENCH_INLINE int64_t amxRows(const ConvPass& pass, int64_t rows) {
  if (pass.kernel == 1) return rows;
  if (!pass.transposed && pass.stride == 2) return 2 * rows + 1;
  return pass.transposed && pass.stride == 2 ? rows + 1 : rows + 2;
}

inline int64_t amxScratchSize(const ConvPass& pass, int64_t rows) {
  const AmxPlan plan = amxPlan(pass);
  return (amxRows(pass, rows) * plan.width + 16) * plan.pixel;
}

/** The input row that row i of the scratch copy holds. Forward at stride 2: first the odd ones, then the even ones. */
GNBENCH_INLINE int64_t amxInputRow(const ConvPass& pass, int64_t begin, int64_t rows, int64_t i) {
  if (pass.kernel == 1) return (begin + i) * (pass.transposed ? 1 : pass.stride);
  if (!pass.transposed && pass.stride == 2)
    return i <= rows ? (begin + i) * 2 - 1 : (begin + i - rows - 1) * 2;
  return begin + i - (pass.transposed && pass.stride == 2 ? 0 : 1);
}

/** Pixels whose taps all lie in the row; a constant number of values makes it a few moves each. */
template <int kValues>
GNBENCH_INLINE void amxCopyInside(uint16_t* to, const uint16_t* from, int64_t pixels, int64_t step, int64_t values) {
  const int64_t count = kValues ? kValues : values, whole = count / 32 * 32;
  const __mmask32 rest = (__mmask32)((1ull << (count - whole)) - 1);
  for (int64_t w = 0; w < pixels; w++, from += step) {
    for (int64_t i = 0; i < whole; i += 32, to += 32) _mm512_store_si512(to, _mm512_loadu_si512(from + i));
    if (count == whole) continue;
    const __m512i last = kValues % 32 == 16
                             ? _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i*)(from + whole)))
                             : _mm512_maskz_loadu_epi16(rest, from + whole);
    _mm512_store_si512(to, last);
    to += 32;
  }
}

/** The input rows that the output rows [begin, begin + rows) need, every pixel with its taps beside it. */
inline void amxCopyBand(const ConvPass& pass, const AmxPlan& plan, const uint16_t* x, int64_t begin, int64_t rows,
                        uint16_t* scratch) {
  const int64_t channels = pass.in.channels, width = pass.in.width, values = plan.taps * channels;
  const int64_t count = amxRows(pass, rows), step = plan.columnStep * channels;
  // Columns whose taps are all inside: from `first` to before `last`.
  const int64_t first = plan.firstColumn < 0 ? 1 : 0, reach = width - plan.taps - plan.firstColumn;
  int64_t last = reach < 0 ? first : reach / plan.columnStep + 1;
  last = last > plan.width ? plan.width : last < first ? first : last;
  for (int64_t i = 0; i < count; i++, scratch += plan.width * plan.pixel) {
    const int64_t row = amxInputRow(pass, begin, rows, i);
    if (row < 0 || row >= pass.in.height) {
      clear(scratch, plan.width * plan.pixel);
      continue;
    }
    const uint16_t* from = x + row * width * channels;
    for (int64_t w = 0; w < plan.width; w++) {
      if (w == first) w = last;
      if (w == plan.width) break;
      const int64_t column = w * plan.columnStep + plan.firstColumn, start = column < 0 ? -column : 0;
      const int64_t end = width - column < plan.taps ? width - column : plan.taps;
      clear(scratch + w * plan.pixel, plan.pixel);
      copy(scratch + w * plan.pixel + start * channels, from + (column + start) * channels, (end - start) * channels);
    }
    uint16_t* to = scratch + first * plan.pixel;
    from += (first * plan.columnStep + plan.firstColumn) * channels;
    if (values == 48) {
      amxCopyInside<48>(to, from, last - first, step, 0);
    } else if (values == 96) {
      amxCopyInside<96>(to, from, last - first, step, 0);
    } else if (values == 192) {
      amxCopyInside<192>(to, from, last - first, step, 0);
    } else {
      amxCopyInside<0>(to, from, last - first, step, values);
    }
  }
  clear(scratch, 16 * plan.pixel);
}

/** y = addend + C, rounded to bfloat16, for `count` pixels and kBlocks neighbouring C tiles. */
template <int kBlocks>
GNBENCH_INLINE void amxWriteRun(const float* sums, const uint16_t* addend, uint16_t* y, int64_t count, int64_t step) {
  for (int64_t i = 0; i < count; i++) {
    for (int block = 0; block < kBlocks; block++) {
      Floats sum = Float32::load(sums + block * 256 + i * 16);
      if (addend) sum += BFloat16::load(addend + i * step + 16 * block);
      BFloat16::store(y + i * step + 16 * block, sum);
    }
  }
}

/** The tile of 16 pixels from `pixel` of the band on, cut into runs that lie in one row of the output. */
template <int kBlocks>
GNBENCH_INLINE void amxWrite(const ConvPass& pass, const AmxPlan& plan, const AmxProduct& product, int64_t begin,
                             int64_t rows, int64_t pixel, const float* sums, const uint16_t* addend, uint16_t* y) {
  const int64_t step = plan.step * pass.out.channels;
  if (plan.step == 1) {
    const int64_t left = rows * plan.width - pixel, at = (begin * plan.width + pixel) * step;
    amxWriteRun<kBlocks>(sums, addend ? addend + at : 0, y + at, left < 16 ? left : 16, step);
    return;
  }
  int64_t row = pixel / plan.width, column = pixel % plan.width;
  for (int64_t i = 0; i < 16 && row < rows; row++, column = 0) {
    const int64_t run = plan.width - column < 16 - i ? plan.width - column : 16 - i;
    const int64_t h = (begin + row) * plan.step + product.row, w = column * plan.step + product.column;
    const int64_t inside = h < pass.out.height ? (pass.out.width - w + plan.step - 1) / plan.step : 0;
    const int64_t at = (h * pass.out.width + w) * pass.out.channels;
    amxWriteRun<kBlocks>(sums + i * 16, addend ? addend + at : 0, y + at, run < inside ? run : inside, step);
    i += run;
  }
}

/**
 * Output rows [begin, end) of one image (at step 2: pairs of rows), all output channels. `packed` is amxPack's;
 * `scratch` has room for amxScratchSize.
 */
inline void amxConv(const ConvPass& pass, const uint16_t* x, const uint16_t* packed, const uint16_t* addend, uint16_t* y,
                    int64_t begin, int64_t end, uint16_t* scratch) {
  const AmxPlan plan = amxPlan(pass);
  const int64_t channels = pass.in.channels, rows = end - begin, blocks = pass.out.channels / 16;
  const int64_t pixel = plan.pixel, pixels = rows * plan.width, stride = pixel * 2;
  amxCopyBand(pass, plan, x, begin, rows, scratch);
  alignas(64) float sums[4 * 256];
  configureTiles();
  for (int i = 0; i < plan.products; i++) {
    const AmxProduct& product = plan.product[i];
    const int64_t chunks = amxChunks(product, channels);
    int64_t offset[3];
    for (int s = 0; s < product.segments; s++) {
      int64_t row = product.segment[s].row;
      if (!pass.transposed && pass.stride == 2 && pass.kernel == 3) row = s == 1 ? rows + 1 : s / 2;
      offset[s] = row * plan.width * pixel;
    }
    int64_t block = 0;
    for (; block + 2 <= blocks; block += 2, packed += 2 * product.segments * chunks * 512) {
      const uint16_t* second = packed + product.segments * chunks * 512;
      for (int64_t first = 0; first < pixels; first += 32) {
        const bool two = first + 16 < pixels;
        clearTiles();
        for (int s = 0; s < product.segments; s++) {
          for (int64_t chunk = 0; chunk < chunks; chunk++) {
            const uint16_t* a = scratch + offset[s] + first * pixel + chunk * 32;
            const int64_t tile = (s * chunks + chunk) * 512;
            _tile_loadd(6, packed + tile, 64);
            _tile_loadd(7, second + tile, 64);
            _tile_loadd(4, a, stride);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            if (two) {
              _tile_loadd(5, a + 16 * pixel, stride);
              _tile_dpbf16ps(2, 5, 6);
              _tile_dpbf16ps(3, 5, 7);
            }
          }
        }
        storeTiles(sums);
        const uint16_t* added = addend ? addend + block * 16 : 0;
        amxWrite<2>(pass, plan, product, begin, rows, first, sums, added, y + block * 16);
        if (two) amxWrite<2>(pass, plan, product, begin, rows, first + 16, sums + 512, added, y + block * 16);
      }
    }
    if (block == blocks) continue;
    for (int64_t first = 0; first < pixels; first += 64) {
      const int64_t more = (pixels - first + 15) / 16 < 4 ? (pixels - first + 15) / 16 : 4;
      clearTiles();
      for (int s = 0; s < product.segments; s++) {
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
          const uint16_t* a = scratch + offset[s] + first * pixel + chunk * 32;
          _tile_loadd(7, packed + (s * chunks + chunk) * 512, 64);
          _tile_loadd(4, a, stride);
          _tile_dpbf16ps(0, 4, 7);
          if (more < 2) continue;
          _tile_loadd(5, a + 16 * pixel, stride);
          _tile_dpbf16ps(1, 5, 7);
          if (more < 3) continue;
          _tile_loadd(6, a + 32 * pixel, stride);
          _tile_dpbf16ps(2, 6, 7);
          if (more < 4) continue;
          _tile_loadd(4, a + 48 * pixel, stride);
          _tile_dpbf16ps(3, 4, 7);
        }
      }
      storeTiles(sums);
      for (int64_t tile = 0; tile < more; tile++)
        amxWrite<1>(pass, plan, product, begin, rows, first + tile * 16, sums + tile * 256,
                    addend ? addend + block * 16 : 0, y + block * 16);
    }
    packed += product.segments * chunks * 512;
  }
  _tile_release();
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
