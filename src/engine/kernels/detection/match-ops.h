// GnbenchMatchBoxes: which true object each candidate box stands for, by overlap. GnbenchSampleMatches: a fixed number of
// candidates to learn from, drawn from a seed.
#pragma once
#include <algorithm>
#include <functional>

#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

/** The marks of a candidate that belongs to no object. */
enum Match : int32_t { kBackground = -1, kIgnored = -2 };

class MatchBoxesOp : public Operation {
 public:
  explicit MatchBoxesOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("low", &low_));
    OP_REQUIRES_OK(context, context->GetAttr("high", &high_));
    OP_REQUIRES_OK(context, context->GetAttr("best_of_each", &bestOfEach_));
    OP_REQUIRES_OK(context, context->GetAttr("crowd_overlap", &crowdOverlap_));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &boxes = context->input(0), &truth = context->input(1), &kinds = context->input(2);
    OP_REQUIRES(context, truth.dims() == 3 && truth.dim_size(2) == 4 && kinds.dims() == 2,
                absl::InvalidArgumentError("truth must be [images, objects, 4] and kind [images, objects]"));
    const int64_t images = truth.dim_size(0), objects = truth.dim_size(1);
    OP_REQUIRES_OK(context, requireLength("kind", kinds, images * objects));
    const bool shared = boxes.dims() == 2;  // the same candidates for each image: anchors
    OP_REQUIRES(context, (shared || (boxes.dims() == 3 && boxes.dim_size(0) == images)) && boxes.dim_size(boxes.dims() - 1) == 4,
                absl::InvalidArgumentError("boxes must be [count, 4] or [images, count, 4]"));
    const int64_t count = boxes.dim_size(boxes.dims() - 2);
    Tensor* matches;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, count}, &matches));
    parallel(context, threadsFor(context, images * count * objects * 16), images, [&](int64_t image) {
      match(count, boxes.flat<float>().data() + (shared ? 0 : image * count * 4), objects,
            truth.flat<float>().data() + image * objects * 4, kinds.flat<int32_t>().data() + image * objects,
            matches->flat<int32_t>().data() + image * count);
    });
  }

 private:
  /** @param kinds 0: no object, 1: one, 2: a crowd */
  void match(int64_t count, const float* boxes, int64_t objects, const float* truth, const int32_t* kinds,
             int32_t* out) const {
    std::vector<float> best(count, 0.f), overlap(count);
    std::vector<int32_t> object(count, -1);
    std::vector<std::vector<int32_t>> closest(bestOfEach_ ? objects : 0);
    for (int64_t g = 0; g < objects; g++) {
      if (kinds[g] != 1) continue;
      loops().overlaps(count, boxes, truth + 4 * g, false, overlap.data());
      float most = 0;
      for (int64_t i = 0; i < count; i++) {
        if (overlap[i] > best[i] || object[i] < 0) {  // of equal ones the earlier object
          best[i] = overlap[i];
          object[i] = static_cast<int32_t>(g);
        }
        most = overlap[i] > most ? overlap[i] : most;
      }
      if (!bestOfEach_ || most == 0) continue;
      for (int64_t i = 0; i < count; i++) {
        if (overlap[i] == most) closest[g].push_back(static_cast<int32_t>(i));  // ties included
      }
    }
    for (int64_t i = 0; i < count; i++) {
      out[i] = object[i] < 0 || best[i] < low_ ? kBackground : best[i] < high_ ? kIgnored : object[i];
    }
    for (const auto& candidates : closest) {
      for (const int32_t i : candidates) out[i] = object[i];
    }
    for (int64_t g = 0; g < objects; g++) {
      if (kinds[g] != 2) continue;
      loops().overlaps(count, boxes, truth + 4 * g, true, overlap.data());
      for (int64_t i = 0; i < count; i++) {
        if (out[i] < 0 && overlap[i] > crowdOverlap_) out[i] = kIgnored;
      }
    }
  }

  float low_ = 0, high_ = 0, crowdOverlap_ = 0;
  bool bestOfEach_ = false;
};

class SampleMatchesOp : public Operation {
 public:
  explicit SampleMatchesOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("count", &count_));
    OP_REQUIRES_OK(context, context->GetAttr("most_positive", &mostPositive_));
    OP_REQUIRES(context, count_ > 0 && mostPositive_ >= 0 && mostPositive_ <= count_,
                absl::InvalidArgumentError("count must be positive, most_positive from 0 to count"));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &matches = context->input(0), &seed = context->input(1);
    OP_REQUIRES(context, matches.dims() == 2, absl::InvalidArgumentError("match must be [images, candidates]"));
    OP_REQUIRES_OK(context, requireLength("seed", seed, 2));
    const int64_t images = matches.dim_size(0), candidates = matches.dim_size(1);
    Tensor *chosen, *positives, *total;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, count_}, &chosen));
    OP_REQUIRES_OK(context, context->allocate_output(1, {images}, &positives));
    OP_REQUIRES_OK(context, context->allocate_output(2, {images}, &total));
    const auto words = seed.flat<int32_t>();
    parallel(context, threadsFor(context, images * candidates * 32), images, [&](int64_t image) {
      const int32_t* match = matches.flat<int32_t>().data() + image * candidates;
      int32_t* out = chosen->flat<int32_t>().data() + image * count_;
      std::vector<int32_t> positive, negative;
      for (int32_t i = 0; i < candidates; i++) {
        if (match[i] >= 0) positive.push_back(i);
        if (match[i] == kBackground) negative.push_back(i);
      }
      const uint32_t first = mix(0x9e3779b9u * static_cast<uint32_t>(image + 1) + static_cast<uint32_t>(words(0)));
      const uint32_t second = mix((first ^ 0x85ebca6bu) + static_cast<uint32_t>(words(1)));
      draw(first, second, mostPositive_, &positive);
      draw(first, second, count_ - static_cast<int64_t>(positive.size()), &negative);
      out = std::copy(positive.begin(), positive.end(), out);
      out = std::copy(negative.begin(), negative.end(), out);
      const int32_t found = static_cast<int32_t>(positive.size() + negative.size());
      std::fill(out, out + (count_ - found), -1);
      positives->flat<int32_t>()(image) = static_cast<int32_t>(positive.size());
      total->flat<int32_t>()(image) = found;
    });
  }

 private:
  /** Wellons' lowbias32, a bijection of 32 bits, which TensorFlow's own operations can compute, too. */
  static uint32_t mix(uint32_t value) {
    value = (value ^ (value >> 16)) * 0x7feb352du;
    value = (value ^ (value >> 15)) * 0x846ca68bu;
    return value ^ (value >> 16);
  }

  /** Keeps the `most` candidates whose numbers give the largest hashes, in the order of their numbers. */
  static void draw(uint32_t first, uint32_t second, int64_t most, std::vector<int32_t>* candidates) {
    if (static_cast<int64_t>(candidates->size()) <= most) return;
    // A hash and a number in one: larger is better, of equal hashes the smaller number.
    static thread_local std::vector<int64_t> keyed;
    keyed.clear();
    keyed.reserve(candidates->size());
    for (const int32_t i : *candidates) {
      const int32_t hash = static_cast<int32_t>(mix(mix(static_cast<uint32_t>(i) ^ first) ^ second));
      keyed.push_back(static_cast<int64_t>(std::max(hash, INT32_MIN + 1)) * (int64_t{1} << 32) - i);
    }
    std::nth_element(keyed.begin(), keyed.begin() + most, keyed.end(), std::greater<int64_t>());
    candidates->clear();
    for (int64_t i = 0; i < most; i++) candidates->push_back(static_cast<int32_t>(-keyed[i] & 0xffffffff));
    std::sort(candidates->begin(), candidates->end());
  }

  int64_t count_ = 0, mostPositive_ = 0;
};

REGISTER_OP("GnbenchMatchBoxes")
    .Input("boxes: float")
    .Input("truth: float")
    .Input("kind: int32")
    .Output("match: int32")
    .Attr("low: float")
    .Attr("high: float")
    .Attr("best_of_each: bool")
    .Attr("crowd_overlap: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);
REGISTER_OP("GnbenchSampleMatches")
    .Input("match: int32")
    .Input("seed: int32")
    .Output("chosen: int32")
    .Output("positives: int32")
    .Output("total: int32")
    .Attr("count: int")
    .Attr("most_positive: int")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);
GNBENCH_REGISTER_KERNEL("GnbenchMatchBoxes", MatchBoxesOp);
GNBENCH_REGISTER_KERNEL("GnbenchSampleMatches", SampleMatchesOp);

}  // namespace gnbench
