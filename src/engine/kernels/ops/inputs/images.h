// The attributes and inputs of the operations on images [images, height, width, channels], with the checks that every
// device's kernel begins with.
#pragma once
#include "ops/geometry.h"

namespace gnbench {

inline absl::Status requireImages(const char* name, const Tensor& tensor) {
  if (tensor.dims() == 4 && tensor.NumElements() > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " must be [images, height, width, channels], but its shape is ", tensor.shape().DebugString()));
}

/** The inputs of GnbenchImages: images, and a mean and a scale for each channel. */
inline absl::Status requireStandardizable(const Tensor& images, const Tensor& mean, const Tensor& scale) {
  TF_RETURN_IF_ERROR(requireImages("images", images));
  TF_RETURN_IF_ERROR(requireLength("mean", mean, images.dim_size(3)));
  return requireLength("scale", scale, images.dim_size(3));
}

struct SubsampleAttributes {
  int64_t stride = 1, channels = 0;

  void read(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride));
    OP_REQUIRES_OK(context, context->GetAttr("channels", &channels));
  }

  /** Pixels that are taken of so many. */
  int64_t taken(int64_t pixels) const { return (pixels + stride - 1) / stride; }

  absl::Status outputShape(const Tensor& x, tensorflow::TensorShape* out) const {
    TF_RETURN_IF_ERROR(requireImages("x", x));
    if (channels < x.dim_size(3))
      return absl::InvalidArgumentError(absl::StrCat(x.dim_size(3), " channels cannot be padded to ", channels));
    *out = tensorflow::TensorShape({x.dim_size(0), taken(x.dim_size(1)), taken(x.dim_size(2)), channels});
    return absl::OkStatus();
  }
};

/** The stride, and the sides and channels of the image that was subsampled. */
struct SubsampleGradAttributes : SubsampleAttributes {
  int64_t height = 0, width = 0;

  void read(OpKernelConstruction* context) {
    SubsampleAttributes::read(context);
    OP_REQUIRES_OK(context, context->GetAttr("height", &height));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width));
  }

  absl::Status outputShape(const Tensor& dy, tensorflow::TensorShape* out) const {
    TF_RETURN_IF_ERROR(requireImages("dy", dy));
    if (dy.dim_size(1) != taken(height) || dy.dim_size(2) != taken(width) || dy.dim_size(3) < channels) {
      return absl::InvalidArgumentError(absl::StrCat("shape mismatch: dy ", dy.shape().DebugString(),
                                                     ", but x has images of ", height, " x ", width, " x ", channels));
    }
    *out = tensorflow::TensorShape({dy.dim_size(0), height, width, channels});
    return absl::OkStatus();
  }
};

}  // namespace gnbench
