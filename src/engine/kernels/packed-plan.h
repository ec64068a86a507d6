// A convolution as products of packed panels: which outputs see which taps, and the pieces that a sum falls into. Outputs
// at an image's edge see fewer taps than those inside; each kind of them is computed with just its own, so that no product
// has a padding's zeros in it. (Of a 2×2 map that is four products of nine.)
#pragma once
#include "loops.h"

namespace gnbench {

/** Outputs of one axis that see the same taps: first, first + step, …, and under which input their first tap lies. */
struct Span {
  int64_t first, step, count;
  int64_t tap, taps;         // in the packed order of taps
  int64_t input, inputStep;  // of the first output; from one to the next
};

constexpr int kMaxKernel = 7, kMaxSpans = 16;

/** One axis: its spans, and the packed order of its taps. */
struct Axis {
  int spans = 0;
  Span span[kMaxSpans];
  int64_t order[kMaxKernel];
};

/**
 * The axis of a pass from `in` to `out`. Transposed, `out` is the convolution's input: outputs of each remainder by the
 * stride have taps of their own, which lie together in the packed order.
 */
inline Axis planAxis(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool transposed) {
  Axis axis;
  const int64_t pad = kernel / 2, phases = transposed ? stride : 1;
  int64_t packed = 0;
  for (int64_t phase = 0; phase < phases; phase++) {
    const int64_t first = packed;
    for (int64_t i = 0; i < kernel; i++) {
      const int64_t tap = transposed ? kernel - 1 - i : i;
      if (!transposed || (phase + pad - tap + kernel * stride) % stride == 0) axis.order[packed++] = tap;
    }
    for (int64_t o = phase; o < out; o += phases) {
      Span span = {o, phases, 1, packed, 0, 0, transposed ? 1 : stride};
      for (int64_t t = first; t < packed; t++) {
        const int64_t at = transposed ? o + pad - axis.order[t] : o * stride + axis.order[t] - pad;
        const int64_t input = transposed ? at / stride : at;
        if (at < 0 || input >= in) continue;
        if (span.taps == 0) span.tap = t, span.input = input;
        span.taps++;
      }
      Span* last = axis.spans > 0 ? &axis.span[axis.spans - 1] : nullptr;
      if (o > phase && last->tap == span.tap && last->taps == span.taps) {
        last->count++;
      } else {
        axis.span[axis.spans++] = span;
      }
    }
  }
  return axis;
}

/** Values of a packed panel's row: a product's sums stay in registers for so many at the most. */
constexpr int64_t kMaxDepth = 512;
/** From row to row of a panel: an odd number of cache lines, so that rows spread over the cache. */
constexpr int64_t kPanelLine = kMaxDepth + 16;
/** Output channels whose weights are packed at a time, and the most weights that are packed at once. */
constexpr int64_t kMaxColumns = 512, kMaxPacked = 128 << 10;
/** Shares of output channels are multiples of this. */
constexpr int64_t kPackedChannels = 32;

/**
 * A pass, with what its sums are split into: the positions [0, run) of a row of taps (column tap, input channel), of
 * which a piece takes `tapRows` rows of taps, or `width` positions of one. Which depends on the shapes alone, so that sums
 * are the same for any number of threads.
 */
struct PackedPass {
  ConvPass pass;
  Axis rows, columns;
  int64_t run, tapRows, width;
  int64_t pieces;

  struct Piece {
    int64_t tapRow, tapRows, from, to;
    int64_t depth() const { return tapRows * (to - from); }
  };
  Piece piece(int64_t index) const {
    const int64_t perRow = (run + width - 1) / width;
    const int64_t row = index / perRow * tapRows, from = index % perRow * width;
    return {row, row + tapRows < pass.kernel ? tapRows : pass.kernel - row, from, from + width < run ? from + width : run};
  }
};

inline PackedPass planPacked(const ConvPass& pass) {
  const Plane &in = pass.in, &out = pass.out;
  PackedPass plan = {pass, planAxis(in.height, out.height, pass.kernel, pass.stride, pass.transposed),
                     planAxis(in.width, out.width, pass.kernel, pass.stride, pass.transposed), pass.kernel * in.channels,
                     1, 0, 0};
  // Packed weights of a piece stay in the second-level cache.
  const int64_t columns = out.channels < kMaxColumns ? out.channels : kMaxColumns;
  const int64_t fit = kMaxPacked / columns, most = fit < kMaxDepth ? fit : kMaxDepth;
  const int64_t parts = (plan.run + most - 1) / most;
  plan.width = parts == 1 ? plan.run : (plan.run + parts * 16 - 1) / (parts * 16) * 16;
  if (parts == 1) {
    const int64_t together = most / plan.run < pass.kernel ? most / plan.run : pass.kernel;
    const int64_t groups = (pass.kernel + together - 1) / together;
    plan.tapRows = (pass.kernel + groups - 1) / groups;
  }
  plan.pieces = (pass.kernel + plan.tapRows - 1) / plan.tapRows * ((plan.run + plan.width - 1) / plan.width);
  return plan;
}

/**
 * Weights whose sums are over the same pixels, a group: those of one tap; of a wide image, those of a row of taps; of an
 * image with few channels, all. Pixels that a group's taps see only in part count as zeros beyond the image's edges.
 */
struct FilterGroups {
  int64_t count;
  int64_t rows;    // of weights, each for all output channels, in a group
  int64_t perTap;  // in a run of neighbouring values of x, which begins at a tap of its own
};
inline FilterGroups filterGroups(const ConvPass& pass) {
  constexpr int64_t kFewChannels = 16, kNarrow = 8;
  const int64_t kernel = pass.kernel, channels = pass.in.channels;
  if (channels < kFewChannels) return {1, kernel * kernel * channels, kernel * channels};
  if (pass.out.width > kNarrow) return {kernel, kernel * channels, kernel * channels};
  return {kernel * kernel, channels, channels};
}

}  // namespace gnbench
