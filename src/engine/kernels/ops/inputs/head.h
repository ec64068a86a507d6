// The attributes and inputs of the operations at the net's end, with the checks that every device's kernel begins with.
#pragma once
#include "ops/inputs/images.h"

namespace gnbench {

/** The inputs of GnbenchSoftmaxLoss. Whether a label is one of the classes is the kernel's to see, where the labels are. */
inline absl::Status requireLogits(const Tensor& logits, const Tensor& labels) {
  if (logits.dims() == 2 && logits.NumElements() > 0) return requireLength("labels", labels, logits.dim_size(0));
  return absl::InvalidArgumentError(
      absl::StrCat("logits must be [images, classes], but their shape is ", logits.shape().DebugString()));
}

/** The attributes of GnbenchGlobalAverageGrad: the sides of the images that were averaged. */
struct AveragedSides {
  int64_t height = 0, width = 0;

  void read(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("height", &height));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width));
  }

  int64_t pixels() const { return height * width; }

  absl::Status outputShape(const Tensor& dy, tensorflow::TensorShape* out) const {
    if (dy.dims() != 2 || height < 1 || width < 1)
      return absl::InvalidArgumentError("dy must be [images, channels], height and width positive");
    *out = tensorflow::TensorShape({dy.dim_size(0), height, width, dy.dim_size(1)});
    return absl::OkStatus();
  }
};

}  // namespace gnbench
