// The attributes and inputs of max-pooling and its gradient, with the checks that every device's kernel begins with.
#pragma once
#include <vector>

#include "ops/inputs/images.h"

namespace gnbench {

/** The windows, height before width. */
struct PoolAttributes {
  std::vector<int64_t> kernel, stride, padding;

  void read(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("kernel", &kernel));
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride));
    OP_REQUIRES_OK(context, context->GetAttr("padding", &padding));
    OP_REQUIRES(context, kernel.size() == 2 && stride.size() == 2 && padding.size() == 2,
                absl::InvalidArgumentError("kernel, stride and padding must have two values each"));
    for (int axis = 0; axis < 2; axis++) {
      OP_REQUIRES(context, kernel[axis] >= 1 && stride[axis] >= 1 && padding[axis] >= 0 && padding[axis] < kernel[axis],
                  absl::InvalidArgumentError(absl::StrCat("kernel ", kernel[axis], ", stride ", stride[axis], ", padding ",
                                                          padding[axis], ": a window would lie outside of the image")));
    }
    OP_REQUIRES(context, kernel[0] <= kMostTaps && kernel[1] <= kMostTaps && kernel[0] * kernel[1] <= kMostTaps,
                absl::InvalidArgumentError(absl::StrCat("a window of ", kernel[0], " x ", kernel[1],
                                                        " pixels: taps are counted in a byte")));
  }

  absl::Status poolOf(const Plane& in, Pool* out) const {
    const int64_t height = in.height + 2 * padding[0] - kernel[0], width = in.width + 2 * padding[1] - kernel[1];
    if (height < 0 || width < 0) {
      return absl::InvalidArgumentError(absl::StrCat("an image of ", in.height, " x ", in.width, " pixels has no window of ",
                                                     kernel[0], " x ", kernel[1]));
    }
    *out = {in, {height / stride[0] + 1, width / stride[1] + 1, in.channels}, {kernel[0], kernel[1]},
            {stride[0], stride[1]}, {padding[0], padding[1]}};
    return absl::OkStatus();
  }

 private:
  static constexpr int64_t kMostTaps = 256;
};

/** The windows, and the sides of the image that was pooled. */
struct PoolGradAttributes : PoolAttributes {
  int64_t height = 0, width = 0;

  void read(OpKernelConstruction* context) {
    PoolAttributes::read(context);
    OP_REQUIRES_OK(context, context->GetAttr("height", &height));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width));
  }

  absl::Status poolOf(const Tensor& dy, const Tensor& taps, Pool* out) const {
    TF_RETURN_IF_ERROR(requireImages("dy", dy));
    TF_RETURN_IF_ERROR(PoolAttributes::poolOf({height, width, dy.dim_size(3)}, out));
    if (taps.shape() == dy.shape() && dy.dim_size(1) == out->out.height && dy.dim_size(2) == out->out.width)
      return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("shape mismatch: dy ", dy.shape().DebugString(), ", taps ",
                                                   taps.shape().DebugString(), ", but x has images of ", height, " x ",
                                                   width));
  }
};

}  // namespace gnbench
