// Detection's arithmetic: weighted sums of pixels for RoIAlign, and overlaps of boxes [left, top, right, bottom].
#pragma once
#include "loops.h"
#include "exponential.h"
#include "vector.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** y[c] = Σ weights[i] · rows[i][c], added up in the rows' order. */
void weightedSum(int64_t count, const float* const* rows, const float* weights, int64_t channels, float* y) {
  int64_t c = 0;
  for (; c + 4 * kLanes <= channels; c += 4 * kLanes) {
    Floats sums[4] = {zero(), zero(), zero(), zero()};
    for (int64_t i = 0; i < count; i++) {
      for (int v = 0; v < 4; v++) sums[v] += weights[i] * Float32::load(rows[i] + c + v * kLanes);
    }
    for (int v = 0; v < 4; v++) Float32::store(y + c + v * kLanes, sums[v]);
  }
  for (; c + kLanes <= channels; c += kLanes) {
    Floats sum = zero();
    for (int64_t i = 0; i < count; i++) sum += weights[i] * Float32::load(rows[i] + c);
    Float32::store(y + c, sum);
  }
  for (; c < channels; c++) {
    float sum = 0;
    for (int64_t i = 0; i < count; i++) sum += weights[i] * rows[i][c];
    y[c] = sum;
  }
}

/** rows[i][c] += weights[i] · dy[c], in the rows' order; a row may stand there several times. */
void weightedScatter(int64_t count, float* const* rows, const float* weights, int64_t channels, const float* dy) {
  for (int64_t i = 0; i < count; i++) {
    float* row = rows[i];
    int64_t c = 0;
    for (; c + kLanes <= channels; c += kLanes) {
      Float32::store(row + c, Float32::load(row + c) + weights[i] * Float32::load(dy + c));
    }
    for (; c < channels; c++) row[c] += weights[i] * dy[c];
  }
}

/** True if the box overlaps one of `count` boxes by more than `threshold` (`inclusive`: or by just as much). */
bool overlapsAny(int64_t count, const BoxColumns& boxes, const float* box, float area, float threshold,
                 bool inclusive) {
  for (int64_t first = 0; first < count; first += 64) {
    const int64_t end = first + 64 < count ? first + 64 : count;
    int any = 0;
    for (int64_t i = first; i < end; i++) {
      const float left = boxes.left[i] > box[0] ? boxes.left[i] : box[0];
      const float top = boxes.top[i] > box[1] ? boxes.top[i] : box[1];
      const float right = boxes.right[i] < box[2] ? boxes.right[i] : box[2];
      const float bottom = boxes.bottom[i] < box[3] ? boxes.bottom[i] : box[3];
      const float width = right - left > 0 ? right - left : 0, height = bottom - top > 0 ? bottom - top : 0;
      const float intersection = width * height;
      const float overlap = intersection / (area + boxes.area[i] - intersection);
      any |= (int)(overlap > threshold) | ((int)(overlap == threshold) & (int)inclusive);
    }
    if (any) return true;
  }
  return false;
}

/** out[i] = intersection over union of boxes[i], `[count, 4]`, with `box`; with a crowd, over the area of boxes[i]. */
void overlaps(int64_t count, const float* boxes, const float* box, bool crowd, float* out) {
  const float area = crowd ? 0 : (box[2] - box[0]) * (box[3] - box[1]);
  for (int64_t i = 0; i < count; i++) {
    const float* other = boxes + 4 * i;
    const float left = other[0] > box[0] ? other[0] : box[0], top = other[1] > box[1] ? other[1] : box[1];
    const float right = other[2] < box[2] ? other[2] : box[2], bottom = other[3] < box[3] ? other[3] : box[3];
    const float width = right - left > 0 ? right - left : 0, height = bottom - top > 0 ? bottom - top : 0;
    const float intersection = width * height;
    const float whole = (other[2] - other[0]) * (other[3] - other[1]) + area - (crowd ? 0 : intersection);
    out[i] = intersection > 0 ? intersection / whole : 0;
  }
}

/** One box of its code and its reference, cut off at the border. */
inline void decodeBox(const float* code, const float* reference, const BoxCode& how, float* box) {
  for (int axis = 0; axis < 2; axis++) {
    const float low = reference[axis], high = reference[axis + 2], extent = high - low;
    const float side = extent < how.leastSide ? how.leastSide : extent;
    const float middle = (low + high) * 0.5f + code[axis] / how.weights[axis] * side;
    const float growth = code[axis + 2] / how.weights[axis + 2];
    const float half = exponential(growth > how.mostGrowth ? how.mostGrowth : growth) * side * 0.5f;
    const float from = middle - half, to = middle + half, border = how.border[axis];
    const float start = from < 0 ? 0 : from, end = to < 0 ? 0 : to;
    box[axis] = start > border ? border : start;
    box[axis + 2] = end > border ? border : end;
  }
}

/** boxes[i] of codes[i] and references[i], or of the one reference that all share. */
void decodeBoxes(int64_t count, const float* codes, const float* references, bool shared, const BoxCode& how,
                 float* boxes) {
  const BoxCode own = how;  // in registers: what is written may not be it
  if (shared) {
    for (int64_t i = 0; i < count; i++) decodeBox(codes + 4 * i, references, own, boxes + 4 * i);
  } else {
    for (int64_t i = 0; i < count; i++) decodeBox(codes + 4 * i, references + 4 * i, own, boxes + 4 * i);
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
