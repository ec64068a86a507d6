// GnbenchTopOfLevels: the best candidates of each level of a pyramid, best first, level after level. Of equal scores the
// earlier candidate's is the better one.
#pragma once
#include <algorithm>
#include <cstring>
#include <functional>

#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

class TopOfLevelsOp : public Operation {
 public:
  explicit TopOfLevelsOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("limit", &limit_));
    OP_REQUIRES_OK(context, context->GetAttr("least_side", &leastSide_));
    OP_REQUIRES_OK(context, context->GetAttr("no_score", &noScore_));
  }

  void compute(OpKernelContext* context) override {
    tensorflow::OpInputList scores, boxes;
    OP_REQUIRES_OK(context, context->input_list("scores", &scores));
    OP_REQUIRES_OK(context, context->input_list("boxes", &boxes));
    const int64_t levels = scores.size(), images = scores[0].dims() == 2 ? scores[0].dim_size(0) : 0;
    std::vector<int64_t> starts{0};
    int64_t candidates = 0;
    for (int64_t level = 0; level < levels; level++) {
      OP_REQUIRES(context, scores[level].dims() == 2 && scores[level].dim_size(0) == images,
                  absl::InvalidArgumentError("scores must be [images, candidates], with as many images in each level"));
      OP_REQUIRES_OK(context, requireLength("boxes", boxes[level], scores[level].NumElements() * 4));
      starts.push_back(starts.back() + std::min(limit_, scores[level].dim_size(1)));
      candidates += scores[level].NumElements();
    }
    const int64_t all = starts.back();
    Tensor *box, *score, *group;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, all, 4}, &box));
    OP_REQUIRES_OK(context, context->allocate_output(1, {images, all}, &score));
    OP_REQUIRES_OK(context, context->allocate_output(2, {images, all}, &group));
    parallel(context, threadsFor(context, candidates * 8), images * levels, [&](int64_t task) {
      const int64_t image = task / levels, level = task % levels, count = scores[level].dim_size(1);
      const int64_t first = image * all + starts[level], kept = starts[level + 1] - starts[level];
      const float* from = boxes[level].flat<float>().data() + image * count * 4;
      const float* rated = scores[level].flat<float>().data() + image * count;
      const std::vector<uint64_t>& best = select(rated, count, kept);
      for (int64_t i = 0; i < kept; i++) {
        const int64_t number = UINT32_MAX - static_cast<uint32_t>(best[i]);
        const float* own = from + 4 * number;
        std::copy(own, own + 4, box->flat<float>().data() + (first + i) * 4);
        const bool large = own[2] - own[0] >= leastSide_ && own[3] - own[1] >= leastSide_;
        score->flat<float>()(first + i) = large ? rated[number] : noScore_;
        group->flat<int32_t>()(first + i) = static_cast<int32_t>(level);
      }
    });
  }

 private:
  /** A whole number that is larger for a larger score. */
  static uint32_t rank(float score) {
    const float value = score + 0.f;  // −0 is as good as 0
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return bits >> 31 ? ~bits : bits | 0x80000000u;
  }

  /** The `kept` best: the rank of each and, in the lower half, a number that is larger for an earlier one. */
  static const std::vector<uint64_t>& select(const float* scores, int64_t count, int64_t kept) {
    constexpr int kShift = 20;
    static thread_local std::vector<uint64_t> found;
    static thread_local std::vector<int32_t> histogram;
    // The ranks' first bits tell which candidates cannot be among the best; most are not, and need not be ordered.
    histogram.assign(1 << (32 - kShift), 0);
    for (int64_t i = 0; i < count; i++) histogram[rank(scores[i]) >> kShift]++;
    uint32_t least = 1 << (32 - kShift);
    for (int64_t above = 0; above < kept;) above += histogram[--least];
    found.clear();
    for (int64_t i = 0; i < count; i++) {
      const uint32_t own = rank(scores[i]);
      if (own >> kShift >= least) found.push_back(static_cast<uint64_t>(own) << 32 | (UINT32_MAX - static_cast<uint32_t>(i)));
    }
    if (static_cast<int64_t>(found.size()) > kept) {
      std::nth_element(found.begin(), found.begin() + kept, found.end(), std::greater<uint64_t>());
      found.resize(kept);
    }
    std::sort(found.begin(), found.end(), std::greater<uint64_t>());
    return found;
  }

  int64_t limit_ = 0;
  float leastSide_ = 0, noScore_ = 0;
};

REGISTER_OP("GnbenchTopOfLevels")
    .Input("scores: N * float")
    .Input("boxes: N * float")
    .Output("best: float")
    .Output("best_scores: float")
    .Output("group: int32")
    .Attr("N: int >= 1")
    .Attr("limit: int >= 1")
    .Attr("least_side: float")
    .Attr("no_score: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);
GNBENCH_REGISTER_KERNEL("GnbenchTopOfLevels", TopOfLevelsOp);

}  // namespace gnbench
