// GnbenchNms: non-maximum suppression of an image's boxes, best first, within groups (classes, or levels of a pyramid):
// a box that overlaps a better one of its group too much is dropped. As many as asked for come out, padded with -1.
#pragma once
#include <algorithm>
#include <numeric>

#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

class NmsOp : public Operation {
 public:
  explicit NmsOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("threshold", &threshold_));
    OP_REQUIRES_OK(context, context->GetAttr("inclusive", &inclusive_));
    OP_REQUIRES_OK(context, context->GetAttr("min_score", &minScore_));
    OP_REQUIRES_OK(context, context->GetAttr("limit", &limit_));
    OP_REQUIRES(context, limit_ > 0, absl::InvalidArgumentError("limit must be positive"));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &boxes = context->input(0), &scores = context->input(1), &groups = context->input(2);
    OP_REQUIRES(context, scores.dims() == 2 && boxes.dims() == 3 && boxes.dim_size(2) == 4,
                absl::InvalidArgumentError("boxes must be [images, boxes, 4] and scores [images, boxes]"));
    OP_REQUIRES_OK(context, requireLength("boxes", boxes, scores.NumElements() * 4));
    OP_REQUIRES_OK(context, requireLength("group", groups, scores.NumElements()));
    const int64_t images = scores.dim_size(0), count = scores.dim_size(1);
    Tensor *kept, *valid;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, limit_}, &kept));
    OP_REQUIRES_OK(context, context->allocate_output(1, {images}, &valid));
    parallel(context, threadsFor(context, images * count * 256), images, [&](int64_t image) {
      valid->flat<int32_t>()(image) =
          suppress(count, boxes.flat<float>().data() + image * count * 4, scores.flat<float>().data() + image * count,
                   groups.flat<int32_t>().data() + image * count, kept->flat<int32_t>().data() + image * limit_);
    });
  }

 private:
  /** The kept boxes of one group, by columns. */
  struct Kept {
    int32_t group;
    std::vector<float> columns[5];
  };

  int32_t suppress(int64_t count, const float* boxes, const float* scores, const int32_t* groups, int32_t* out) const {
    std::vector<int32_t> order;
    for (int32_t i = 0; i < count; i++) {
      if (scores[i] > minScore_) order.push_back(i);  // false for NaN
    }
    // The earlier of two boxes with equal scores is the better one.
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return scores[a] > scores[b]; });
    std::vector<Kept> kept;
    int32_t found = 0;
    for (const int32_t candidate : order) {
      if (found == limit_) break;
      const float* box = boxes + 4 * candidate;
      const float area = (box[2] - box[0]) * (box[3] - box[1]);
      Kept* same = nullptr;
      for (Kept& group : kept) {
        if (group.group == groups[candidate]) same = &group;
      }
      if (same == nullptr) {
        kept.push_back({groups[candidate], {}});
        same = &kept.back();
      }
      auto& columns = same->columns;
      const BoxColumns better{columns[0].data(), columns[1].data(), columns[2].data(), columns[3].data(), columns[4].data()};
      if (loops().overlapsAny(columns[0].size(), better, box, area, threshold_, inclusive_)) continue;
      for (int i = 0; i < 4; i++) columns[i].push_back(box[i]);
      columns[4].push_back(area);
      out[found++] = candidate;
    }
    std::fill(out + found, out + limit_, -1);
    return found;
  }

  float threshold_ = 0, minScore_ = 0;
  bool inclusive_ = false;
  int64_t limit_ = 0;
};

REGISTER_OP("GnbenchNms")
    .Input("boxes: float")
    .Input("scores: float")
    .Input("group: int32")
    .Output("kept: int32")
    .Output("valid: int32")
    .Attr("threshold: float")
    .Attr("inclusive: bool = false")
    .Attr("min_score: float")
    .Attr("limit: int")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);
GNBENCH_REGISTER_KERNEL("GnbenchNms", NmsOp);

}  // namespace gnbench
