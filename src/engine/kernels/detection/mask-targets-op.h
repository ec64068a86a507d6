// GnbenchMaskTargets: what a mask head is to learn. Each box takes its object's mask, which comes as run lengths down the
// columns of the image, averaged into size × size bins as RoIAlign averages a feature map (one sample a pixel or more;
// aligned: pixels are points at their centres).
#pragma once
#include "detection/roi-align-ops.h"

namespace gnbench {

class MaskTargetsOp : public Operation {
 public:
  explicit MaskTargetsOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("size", &attributes_.size));
    OP_REQUIRES_OK(context, context->GetAttr("height", &height_));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width_));
    OP_REQUIRES_OK(context, context->GetAttr("aligned", &attributes_.aligned));
    OP_REQUIRES(context, attributes_.size > 0 && height_ > 0 && width_ > 0 && height_ * width_ < (int64_t{1} << 31),
                absl::InvalidArgumentError("size, height and width must be positive, and the image smaller than 2^31"));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &runs = context->input(0), &starts = context->input(1), &boxes = context->input(2);
    const Tensor &image = context->input(3), &object = context->input(4);
    OP_REQUIRES(context, runs.dims() == 2 && starts.dims() == 2 && boxes.dims() == 2 && boxes.dim_size(1) == 4,
                absl::InvalidArgumentError("runs must be [images, runs], start [images, objects + 1], boxes [count, 4]"));
    const int64_t count = boxes.dim_size(0), images = runs.dim_size(0), objects = starts.dim_size(1) - 1;
    OP_REQUIRES_OK(context, requireLength("image", image, count));
    OP_REQUIRES_OK(context, requireLength("object", object, count));
    OP_REQUIRES_OK(context, requireLength("start", starts, images * (objects + 1)));
    const auto images_ = image.flat<int32_t>(), objects_ = object.flat<int32_t>();
    const auto starts_ = starts.matrix<int32_t>();
    for (int64_t i = 0; i < count; i++) {
      if (objects_(i) < 0) continue;
      OP_REQUIRES(context, objects_(i) < objects && images_(i) >= 0 && images_(i) < images,
                  absl::InvalidArgumentError(absl::StrCat("box ", i, " is of an object or an image that is not there")));
      const int32_t begin = starts_(images_(i), objects_(i)), end = starts_(images_(i), objects_(i) + 1);
      OP_REQUIRES(context, begin >= 0 && begin <= end && end <= runs.dim_size(1),
                  absl::InvalidArgumentError(absl::StrCat("the runs of object ", objects_(i), " lie outside of runs")));
    }
    Tensor* y;
    const int64_t size = attributes_.size;
    OP_REQUIRES_OK(context, context->allocate_output(0, {count, size, size}, &y));
    parallel(context, threadsFor(context, count * (height_ * width_ / 8 + size * size * 64)), count, [&](int64_t i) {
      float* target = y->flat<float>().data() + i * size * size;
      if (objects_(i) < 0) {
        std::fill(target, target + size * size, 0.f);
        return;
      }
      const int32_t begin = starts_(images_(i), objects_(i)), end = starts_(images_(i), objects_(i) + 1);
      const int32_t* counts = runs.flat<int32_t>().data() + images_(i) * runs.dim_size(1) + begin;
      write(counts, end - begin, boxes.flat<float>().data() + 4 * i, target);
    });
  }

 private:
  void write(const int32_t* counts, int64_t runs, const float* box, float* target) const {
    // Only the columns that samples can touch are unpacked.
    const auto column = [&](float at) { return static_cast<int64_t>(std::min<float>(std::max(at, 0.f), width_)); };
    const int64_t first = column(std::floor(box[0]) - 1), last = column(std::max(box[2], box[0] + 1) + 3);
    static thread_local std::vector<uint8_t> columns;
    columns.assign((last - first) * height_, 0);
    int64_t at = 0;
    for (int64_t run = 0; run < runs; at += counts[run++]) {
      if (run % 2 == 0) continue;
      const int64_t begin = std::max(at, first * height_), end = std::min(at + counts[run], last * height_);
      if (begin < end) std::fill(columns.begin() + (begin - first * height_), columns.begin() + (end - first * height_), 1);
    }
    static thread_local RoiSamples samples;
    samples.place(attributes_, box, 1.f, height_, width_);
    const int64_t size = attributes_.size;
    for (int64_t bin = 0; bin < size * size; bin++) {
      float sum = 0;
      samples.eachPixel(bin / size, bin % size, [&](int64_t pixel, float weight) {
        const int64_t x = pixel % width_ - first;
        if (x >= 0 && x < last - first && columns[x * height_ + pixel / width_]) sum += weight;
      });
      target[bin] = sum;
    }
  }

  RoiAttributes attributes_;  // one level, adaptive sampling
  int64_t height_ = 0, width_ = 0;
};

REGISTER_OP("GnbenchMaskTargets")
    .Input("runs: int32")
    .Input("start: int32")
    .Input("boxes: float")
    .Input("image: int32")
    .Input("object: int32")
    .Output("y: float")
    .Attr("size: int")
    .Attr("height: int")
    .Attr("width: int")
    .Attr("aligned: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);
GNBENCH_REGISTER_KERNEL("GnbenchMaskTargets", MaskTargetsOp);

}  // namespace gnbench
