// GnbenchDecodeBoxes: the boxes that a layer's codes stand for, relative to anchors or proposals, cut off at the border of
// their image.
#pragma once
#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

class DecodeBoxesOp : public Operation {
 public:
  explicit DecodeBoxesOp(OpKernelConstruction* context) : Operation(context) {
    std::vector<float> weights;
    OP_REQUIRES_OK(context, context->GetAttr("weights", &weights));
    OP_REQUIRES(context, weights.size() == 4, absl::InvalidArgumentError("weights must be four"));
    std::copy(weights.begin(), weights.end(), how_.weights);
    OP_REQUIRES_OK(context, context->GetAttr("least_side", &how_.leastSide));
    OP_REQUIRES_OK(context, context->GetAttr("most_growth", &how_.mostGrowth));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &codes = context->input(0), &references = context->input(1), &sizes = context->input(2);
    OP_REQUIRES(context, codes.dims() == 4 && codes.dim_size(3) == 4,
                absl::InvalidArgumentError("codes must be [images, references, codes of each, 4]"));
    const int64_t images = codes.dim_size(0), count = codes.dim_size(1), each = codes.dim_size(2);
    const bool shared = references.dims() == 3 && references.dim_size(0) == 1;  // the same for each image: anchors
    OP_REQUIRES_OK(context, requireLength("references", references, (shared ? 1 : images) * count * 4));
    OP_REQUIRES_OK(context, requireLength("sizes", sizes, images * 2));
    Tensor* boxes;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, count * each, 4}, &boxes));
    if (boxes->NumElements() == 0) return;
    const int64_t chunk = std::max<int64_t>(1, 4096 / each), chunks = (count + chunk - 1) / chunk;
    const float *code = codes.flat<float>().data(), *reference = references.flat<float>().data();
    float* box = boxes->flat<float>().data();
    const int threads = threadsFor(context, boxes->NumElements() * 16);
    parallel(context, threads, images * chunks, [&](int64_t task) {
      const int64_t image = task / chunks, begin = task % chunks * chunk, end = std::min(count, begin + chunk);
      BoxCode how = how_;
      how.border[0] = sizes.flat<float>()(2 * image + 1);
      how.border[1] = sizes.flat<float>()(2 * image);
      const float* own = reference + (shared ? 0 : image * count * 4);
      const int64_t first = (image * count + begin) * each * 4;
      if (each == 1) {
        loops().decodeBoxes(end - begin, code + first, own + 4 * begin, false, how, box + first);
        return;
      }
      for (int64_t i = begin; i < end; i++) {
        const int64_t at = (image * count + i) * each * 4;
        loops().decodeBoxes(each, code + at, own + 4 * i, true, how, box + at);
      }
    });
  }

 private:
  BoxCode how_{};
};

REGISTER_OP("GnbenchDecodeBoxes")
    .Input("codes: float")
    .Input("references: float")
    .Input("sizes: float")
    .Output("boxes: float")
    .Attr("weights: list(float)")
    .Attr("least_side: float")
    .Attr("most_growth: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);
GNBENCH_REGISTER_KERNEL("GnbenchDecodeBoxes", DecodeBoxesOp);

}  // namespace gnbench
