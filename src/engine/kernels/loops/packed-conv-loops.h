// Convolutions of many channels, forward and the gradient of the input, as products of packed panels (Goto & van de Geijn
// 2008, "Anatomy of High-Performance Matrix Multiplication", without a matrix of patches): some pixels' inputs are copied
// side by side, a piece of a sum at a time, and meet the packed weights of two vectors of output channels in registers.
#pragma once
#include "loops/conv-filter-loops.h"
#include "packed-plan.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** Pixels and vectors of one product: as many sums as registers hold, and far fewer loads than multiplications. */
constexpr int kPanelRows = kLanes == 16 ? 14 : 6;
constexpr int kPanelVectors = 2;
constexpr int64_t kPanelWidth = kPanelVectors * kLanes;

/** A piece's part that a product runs over without a break: where it begins in a row of pixels, and in the weights. */
struct Segment {
  int64_t pixels, weights, length;
};

/** One product's operands: the sums of `rows` outputs at y + at[i], for all packed channels. */
struct Product {
  const float* pixels;
  const float* weights;
  int64_t panelSize;  // of the packed weights, from two vectors to the next two
  Segment segments[kMaxKernel];
  int segmentCount;
  int64_t at[kPanelRows];
  const float* start;  // what is added to the product, by the places of y; null: nothing
  float* y;
  int64_t channels;
};

template <class Unit, int kRows, int kVectors>
GNBENCH_INLINE void multiplyPanel(const Product& product, const float* panel, int64_t channel) {
  Floats sum[kRows][kVectors] = {};
  for (int s = 0; s < product.segmentCount; s++) {
    const Segment& segment = product.segments[s];
    const float* pixels = product.pixels + segment.pixels;
    const float* weights = panel + segment.weights * kPanelWidth;
    for (int64_t i = 0; i < segment.length; i++, weights += kPanelWidth) {
      Floats w[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; v++) w[v] = Float32::load(weights + v * kLanes);
#pragma GCC unroll 16
      for (int p = 0; p < kRows; p++) {
        const Floats value = broadcast(pixels[p * kPanelLine + i]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; v++) sum[p][v] = Unit::add(sum[p][v], value, w[v]);
      }
    }
  }
  for (int p = 0; p < kRows; p++) {
    for (int v = 0; v < kVectors; v++) {
      const int64_t at = product.at[p] + channel + v * kLanes;
      Float32::store(product.y + at, product.start ? sum[p][v] + Float32::load(product.start + at) : sum[p][v]);
    }
  }
}

template <class Unit, int kRows>
void multiplyPanels(const Product& product) {
  const float* panel = product.weights;
  int64_t channel = 0;
  for (; channel + kPanelWidth <= product.channels; channel += kPanelWidth, panel += product.panelSize)
    multiplyPanel<Unit, kRows, kPanelVectors>(product, panel, channel);
  if (channel < product.channels) multiplyPanel<Unit, kRows, 1>(product, panel, channel);
}

typedef void (*MultiplyPanels)(const Product& product);
template <class Unit, int kRows>
struct PanelTable {
  GNBENCH_INLINE void fill(MultiplyPanels* to) {
    to[kRows] = multiplyPanels<Unit, kRows>;
    PanelTable<Unit, kRows - 1>::fill(to);
  }
};
template <class Unit>
struct PanelTable<Unit, 0> {
  GNBENCH_INLINE void fill(MultiplyPanels* to) { to[0] = 0; }
};

GNBENCH_INLINE void copyFloats(float* to, const float* from, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) Float32::store(to + i, Float32::load(from + i));
  if (i < count) Float32::storeFirst(to + i, Float32::loadFirst(from + i, (int)(count - i)), (int)(count - i));
}

/** Values of packed weights for `channels` output channels: one piece, or all of them. */
GNBENCH_INLINE int64_t packedSize(int64_t depth, int64_t channels) {
  return depth * ((channels + kPanelWidth - 1) / kPanelWidth * kPanelWidth);
}

/** A piece's weights for the output channels [first, last), as [two vectors of channels, position, channel]. */
GNBENCH_INLINE void packWeights(const PackedPass& plan, const PackedPass::Piece& piece, const float* weights,
                                int64_t first, int64_t last, float* packed) {
  const ConvPass& pass = plan.pass;
  const int64_t in = pass.in.channels, out = pass.out.channels, panelSize = piece.depth() * kPanelWidth;
  int64_t position = 0;
  for (int64_t row = piece.tapRow; row < piece.tapRow + piece.tapRows; row++) {
    for (int64_t at = piece.from; at < piece.to;) {
      const int64_t tap = at / in, c = at % in, end = (tap + 1) * in < piece.to ? (tap + 1) * in : piece.to;
      const int64_t source = plan.rows.order[row] * pass.kernel + plan.columns.order[tap];
      if (pass.transposed) {  // weights are [kernel row, tap, out, in]
        for (int64_t k = first; k < last; k += kLanes) {
          const float* from = weights + (source * out + k) * in + c;
          float* to = packed + (k - first) / kPanelWidth * panelSize + position * kPanelWidth + (k - first) % kPanelWidth;
          for (int64_t i = 0; i < end - at; i += kLanes) transposeBlock(from + i, in, to + i * kPanelWidth, kPanelWidth);
        }
      } else {
        for (int64_t i = 0; i < end - at; i++) {
          const float* from = weights + (source * in + c + i) * out;
          float* to = packed + (position + i) * kPanelWidth;
          int64_t k = first;
          for (; k + kPanelWidth <= last; k += kPanelWidth, to += panelSize) copyFloats(to, from + k, kPanelWidth);
          if (k < last) copyFloats(to, from + k, last - k);
        }
      }
      position += end - at;
      at = end;
    }
  }
}

/** The outputs of two spans, in `images` images: image by image, row by row. */
struct Outputs {
  const Span *rows, *columns;
  int64_t count;    // of all images
  int64_t tiles;    // products that they fall into, of about as many pixels each
};

GNBENCH_INLINE Outputs outputsOf(const PackedPass& plan, int64_t images, int rowSpan, int columnSpan) {
  Outputs outputs = {&plan.rows.span[rowSpan], &plan.columns.span[columnSpan], 0, 0};
  outputs.count = images * outputs.rows->count * outputs.columns->count;
  outputs.tiles = (outputs.count + kPanelRows - 1) / kPanelRows;
  return outputs;
}

inline int64_t packedTiles(const PackedPass& plan, int64_t images) {
  int64_t tiles = 0;
  for (int r = 0; r < plan.rows.spans; r++)
    for (int c = 0; c < plan.columns.spans; c++) tiles += outputsOf(plan, images, r, c).tiles;
  return tiles;
}

/** The part of a piece that outputs see: rows of taps, and positions in each. */
GNBENCH_INLINE PackedPass::Piece seen(const PackedPass& plan, const PackedPass::Piece& piece, const Outputs& outputs) {
  const int64_t in = plan.pass.in.channels, firstRow = outputs.rows->tap, endRow = firstRow + outputs.rows->taps;
  const int64_t first = outputs.columns->tap * in, end = first + outputs.columns->taps * in;
  PackedPass::Piece part;
  part.tapRow = piece.tapRow > firstRow ? piece.tapRow : firstRow;
  part.tapRows = (piece.tapRow + piece.tapRows < endRow ? piece.tapRow + piece.tapRows : endRow) - part.tapRow;
  part.from = piece.from > first ? piece.from : first;
  part.to = piece.to < end ? piece.to : end;
  if (part.tapRows <= 0 || part.to <= part.from) part.tapRows = 0;
  return part;
}

/** Values of float32 that packedConv works with. */
inline int64_t packedScratch(const PackedPass& plan, int64_t channels) {
  int64_t weights = 0, all = 0;
  for (int64_t i = 0; i < plan.pieces; i++) {
    const int64_t size = packedSize(plan.piece(i).depth(), channels);
    weights = size > weights ? size : weights;
    all += size;
  }
  return kPanelRows * kPanelLine + (all <= kMaxPacked ? all : weights);
}

/** One piece of the sums of the outputs of tiles [begin, end) of `outputs`. */
GNBENCH_INLINE void convOutputs(const PackedPass& plan, const PackedPass::Piece& piece, const Outputs& outputs,
                                const MultiplyPanels* multiply, const float* x, const float* packed, const float* addend,
                                float* y, const PackedShare& share, int64_t begin, int64_t end, float* pixels) {
  const ConvPass& pass = plan.pass;
  const Plane &in = pass.in, &out = pass.out;
  const PackedPass::Piece part = seen(plan, piece, outputs);
  const bool first = part.tapRows > 0 && part.tapRow == outputs.rows->tap && part.from == outputs.columns->tap * in.channels;
  const bool none = outputs.rows->taps == 0 || outputs.columns->taps == 0;
  if (part.tapRows == 0 && !(none && piece.tapRow == 0 && piece.from == 0)) return;
  Product product;
  product.pixels = pixels;
  product.weights = packed;
  product.panelSize = piece.depth() * kPanelWidth;
  product.channels = share.lastChannel - share.firstChannel;
  product.start = first || none ? addend : y;
  product.y = y;
  product.segmentCount = 0;
  const int64_t length = part.to - part.from, width = piece.to - piece.from;
  for (int64_t row = 0; row < part.tapRows; row++) {
    const int64_t weights = (part.tapRow + row - piece.tapRow) * width + part.from - piece.from;
    product.segments[product.segmentCount++] = {row * length, weights, length};
  }
  if (product.segmentCount > 1 && length == width) {
    product.segments[0].length *= product.segmentCount;
    product.segmentCount = 1;
  }
  const Span &rows = *outputs.rows, &columns = *outputs.columns;
  const int64_t lines = in.width * in.channels, offset = part.from - columns.tap * in.channels;
  for (int64_t tile = begin; tile < end; tile++) {
    const int64_t from = outputs.count * tile / outputs.tiles, count = outputs.count * (tile + 1) / outputs.tiles - from;
    int64_t column = from % columns.count, line = from / columns.count, row = line % rows.count, image = line / rows.count;
    for (int64_t p = 0; p < count; p++) {
      const int64_t h = rows.first + row * rows.step, w = columns.first + column * columns.step;
      product.at[p] = ((image * out.height + h) * out.width + w) * out.channels + share.firstChannel;
      const int64_t inRow = rows.input + row * rows.inputStep + part.tapRow - rows.tap;
      const float* source = x + ((image * in.height + inRow) * in.width + columns.input + column * columns.inputStep) * in.channels + offset;
      for (int64_t t = 0; t < part.tapRows; t++)
        copyFloats(pixels + p * kPanelLine + t * length, source + t * lines, length);
      if (++column == columns.count) {
        column = 0;
        if (++row == rows.count) row = 0, image++;
      }
    }
    multiply[count](product);
  }
}

/**
 * y = addend + the pass of x, for a share of the outputs. `addend` may be null, or y itself. A unit that multiplies pairs of
 * input channels finds each pair in the place of one value of x and of the weights.
 */
template <class Unit>
void packedConv(const PackedPass& plan, const float* x, const float* weights, const float* addend, float* y,
                       PackedShare share, float* scratch) {
  MultiplyPanels multiply[kPanelRows + 1];
  PanelTable<Unit, kPanelRows>::fill(multiply);
  float *pixels = scratch, *packed = scratch + kPanelRows * kPanelLine;
  const int64_t channels = share.lastChannel - share.firstChannel;
  int64_t all = 0;
  for (int64_t i = 0; i < plan.pieces; i++) all += packedSize(plan.piece(i).depth(), channels);
  // If all weights fit the second-level cache, a few outputs are finished there before the next ones.
  const bool whole = all <= kMaxPacked;
  const int64_t strip = whole ? 16 : share.lastTile - share.firstTile;
  for (int64_t begin = share.firstTile; begin < share.lastTile; begin += strip) {
    const int64_t end = begin + strip < share.lastTile ? begin + strip : share.lastTile;
    float* at = packed;
    for (int64_t i = 0; i < plan.pieces; i++) {
      const PackedPass::Piece piece = plan.piece(i);
      if (!whole || begin == share.firstTile)
        packWeights(plan, piece, weights, share.firstChannel, share.lastChannel, at);
      int64_t tile = 0;
      for (int r = 0; r < plan.rows.spans; r++) {
        for (int c = 0; c < plan.columns.spans; c++) {
          const Outputs outputs = outputsOf(plan, share.images, r, c);
          const int64_t from = begin > tile ? begin - tile : 0, to = end - tile < outputs.tiles ? end - tile : outputs.tiles;
          if (from < to)
            convOutputs(plan, piece, outputs, multiply, x, at, addend, y, share, from, to, pixels);
          tile += outputs.tiles;
        }
      }
      if (whole) at += packedSize(piece.depth(), channels);
    }
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
