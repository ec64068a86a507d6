// The gradient of a convolution's weights as products of packed panels: for every tap the pixels of x that it sees, some
// channels of them side by side, meet the same pixels of dy in registers. A tap has only the pixels that it sees, so no
// padding is multiplied.
#pragma once
#include "loops/packed-conv-loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Pixels of one product. A weight's sum over more of them is the sum of such sums, in order. */
constexpr int64_t kFilterPixels = 256;
/** Values from pixel to pixel of the packed x. */
constexpr int64_t kFilterLine = kLanes == 4 ? 8 : kLanes;

/** The multiplying unit of float32: it takes one pixel at a time, which is a word of the packed operands. */
struct SinglePixels {
  typedef float Value;
  static constexpr int kPixels = 1;
  GNBENCH_INLINE Floats add(Floats sum, Floats value, Floats d) { return sum + value * d; }
  /** The words of a row of channels. */
  GNBENCH_INLINE void copy(float* to, const float* const (&from)[1], int64_t count, bool) { copyFloats(to, from[0], count); }
  /** The words of kPanelRows channels at the most. */
  GNBENCH_INLINE void copyTile(float* to, const float* const (&from)[1], int count) {
    if (kLanes >= kPanelRows) {
      Float32::store(to, Float32::loadFirst(from[0], count));
    } else {
      for (int i = 0; i < count; i += kLanes)
        Float32::store(to + i, count - i >= kLanes ? Float32::load(from[0] + i) : Float32::loadFirst(from[0] + i, count - i));
    }
  }
  GNBENCH_INLINE void set(float* to, const float (&values)[1]) { *to = values[0]; }
};

template <class Unit, int kRows, int kVectors>
GNBENCH_INLINE void multiplyPixels(const float* x, const float* dy, int64_t words, bool start, float* gradient,
                                   int64_t channels) {
  Floats sum[kRows][kVectors] = {};
  for (int64_t i = 0; i < words; i++, x += kFilterLine, dy += kPanelWidth) {
    Floats d[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) d[v] = Float32::load(dy + v * kLanes);
#pragma GCC unroll 16
    for (int p = 0; p < kRows; p++) {
      const Floats value = broadcast(x[p]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; v++) sum[p][v] = Unit::add(sum[p][v], value, d[v]);
    }
  }
  for (int p = 0; p < kRows; p++) {
    for (int v = 0; v < kVectors; v++) {
      float* to = gradient + p * channels + v * kLanes;
      Float32::store(to, start ? sum[p][v] : sum[p][v] + Float32::load(to));
    }
  }
}

/** The gradient of kRows weights of each of `columns` output channels; `dy` is packed as [two vectors, word, channel]. */
template <class Unit, int kRows>
void multiplyAllPixels(const float* x, const float* dy, int64_t words, bool start, float* gradient, int64_t channels,
                       int64_t columns) {
  int64_t k = 0;
  for (; k + kPanelWidth <= columns; k += kPanelWidth, dy += words * kPanelWidth)
    multiplyPixels<Unit, kRows, kPanelVectors>(x, dy, words, start, gradient + k, channels);
  if (k < columns) multiplyPixels<Unit, kRows, 1>(x, dy, words, start, gradient + k, channels);
}

typedef void (*MultiplyPixels)(const float* x, const float* dy, int64_t words, bool start, float* gradient,
                               int64_t channels, int64_t columns);
template <class Unit, int kRows>
struct PixelTable {
  GNBENCH_INLINE void fill(MultiplyPixels* to) {
    to[kRows] = multiplyAllPixels<Unit, kRows>;
    PixelTable<Unit, kRows - 1>::fill(to);
  }
};
template <class Unit>
struct PixelTable<Unit, 0> {
  GNBENCH_INLINE void fill(MultiplyPixels* to) { to[0] = 0; }
};

/** Values of float32 that packedFilter works with. */
inline int64_t packedFilterScratch(const ConvPass& pass) {
  const int64_t columns = pass.out.channels < kMaxColumns ? pass.out.channels : kMaxColumns;
  return packedSize(kFilterPixels, columns) + kFilterPixels * kFilterLine;
}

/** Outputs [first, end) of an axis that see one of the taps [tap, tap + taps). */
struct Seeing {
  int64_t first, end;
};
GNBENCH_INLINE Seeing seeing(int64_t in, int64_t out, int64_t tap, int64_t taps, const ConvPass& pass) {
  Seeing s = {0, out};
  while (s.first < out && s.first * pass.stride + tap + taps - 1 - pass.kernel / 2 < 0) s.first++;
  while (s.end > s.first && (s.end - 1) * pass.stride + tap - pass.kernel / 2 >= in) s.end--;
  return s;
}

/** A pixel of dy, and of x under a group's first tap: where they lie, and x's row and column. */
struct FilterPixel {
  int64_t x, dy, row, column;
};

/**
 * Sets the gradient of the weights [firstRow, lastRow) of a group and all output channels, over `images` images. `pass` is
 * the convolution itself.
 */
template <class Unit>
void packedFilter(const ConvPass& pass, const typename Unit::Value* x, const typename Unit::Value* dy, int64_t images, int64_t group,
                         int64_t firstRow, int64_t lastRow, float* gradient, float* scratch) {
  typedef typename Unit::Value Value;
  constexpr int kEach = Unit::kPixels;  // in a word
  MultiplyPixels multiply[kPanelRows + 1];
  PixelTable<Unit, kPanelRows>::fill(multiply);
  const Plane &in = pass.in, &out = pass.out;
  const FilterGroups groups = filterGroups(pass);
  const int64_t runs = groups.rows / groups.perTap, pad = pass.kernel / 2, taps = groups.perTap / in.channels;
  const int64_t firstTap = group * (groups.rows / in.channels), tapRow = firstTap / pass.kernel, tap = firstTap % pass.kernel;
  const Seeing rows = seeing(in.height, out.height, tapRow, runs, pass);
  const Seeing columns = seeing(in.width, out.width, tap, taps, pass);
  const int64_t height = rows.end - rows.first, width = columns.end - columns.first, count = images * height * width;
  gradient += group * groups.rows * out.channels;
  if (count == 0) {
    for (int64_t i = firstRow * out.channels; i < lastRow * out.channels; i += kLanes) Float32::store(gradient + i, zero());
    return;
  }
  float *xPacked = scratch, *dyPacked = scratch + kFilterPixels * kFilterLine;
  FilterPixel at[kFilterPixels];
  for (int64_t begin = 0; begin < count; begin += kFilterPixels) {
    const int64_t pixels = count - begin < kFilterPixels ? count - begin : kFilterPixels;
    int64_t column = begin % width, line = begin / width, row = line % height, image = line / height;
    for (int64_t i = 0; i < pixels; i++) {
      const int64_t h = rows.first + row, w = columns.first + column;
      at[i].row = h * pass.stride + tapRow - pad;
      at[i].column = w * pass.stride + tap - pad;
      at[i].x = ((image * in.height + at[i].row) * in.width + at[i].column) * in.channels;
      at[i].dy = ((image * out.height + h) * out.width + w) * out.channels;
      if (++column == width) {
        column = 0;
        if (++row == height) row = 0, image++;
      }
    }
    const int64_t words = (pixels + kEach - 1) / kEach;
    // A last word's missing pixel: whatever x has there meets zeros.
    if (pixels % kEach != 0) at[pixels] = at[pixels - 1];
    for (int64_t first = 0; first < out.channels; first += kMaxColumns) {
      const int64_t some = out.channels - first < kMaxColumns ? out.channels - first : kMaxColumns;
      for (int64_t i = 0; i < words; i++) {
        const Value* from[kEach];
        for (int e = 0; e < kEach; e++) from[e] = dy + at[i * kEach + e].dy + first;
        const bool whole = (i + 1) * kEach <= pixels;
        float* to = dyPacked + i * kPanelWidth;
        for (int64_t k = 0; k < some; k += kPanelWidth, to += words * kPanelWidth) {
          Unit::copy(to, from, some - k < kPanelWidth ? some - k : kPanelWidth, whole);
          for (int e = 0; e < kEach; e++) from[e] += kPanelWidth;
        }
      }
      for (int64_t run = firstRow / groups.perTap; run * groups.perTap < lastRow; run++) {
        const int64_t start = run * groups.perTap, beginRow = firstRow > start ? firstRow - start : 0;
        const int64_t endRow = lastRow - start < groups.perTap ? lastRow - start : groups.perTap;
        const int64_t tiles = (endRow - beginRow + kPanelRows - 1) / kPanelRows;
        const int64_t offset = run * in.width * in.channels;
        for (int64_t tile = 0; tile < tiles; tile++) {
          const int64_t f = beginRow + (endRow - beginRow) * tile / tiles;
          const int64_t end = beginRow + (endRow - beginRow) * (tile + 1) / tiles;
          const int64_t tapOf = f / in.channels, lastTap = (end - 1) / in.channels;
          for (int64_t i = 0; i < words; i++) {
            float* to = xPacked + i * kFilterLine;
            const FilterPixel* pixel = at + i * kEach;
            const Value* from[kEach];
            bool inside[kEach], all = true;
            for (int e = 0; e < kEach; e++) {
              from[e] = x + pixel[e].x + offset + f;
              inside[e] = pixel[e].row + run >= 0 && pixel[e].row + run < in.height;
              all = all && inside[e] && pixel[e].column + tapOf >= 0 && pixel[e].column + lastTap < in.width;
            }
            if (all) {
              Unit::copyTile(to, from, (int)(end - f));
              continue;
            }
            for (int64_t j = f; j < end; j++) {
              Value values[kEach];
              for (int e = 0; e < kEach; e++) {
                const int64_t c = pixel[e].column + j / in.channels;
                values[e] = inside[e] && c >= 0 && c < in.width ? from[e][j - f] : 0;
              }
              Unit::set(to + j - f, values);
            }
          }
          multiply[end - f](xPacked, dyPacked, words, begin == 0, gradient + (start + f) * out.channels + first,
                            out.channels, some);
        }
      }
    }
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
