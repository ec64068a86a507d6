// The attributes and inputs of GnbenchAffineRelu, with the checks that every device's kernel begins with.
#pragma once
#include "ops/geometry.h"

namespace gnbench {

/** Inputs: x, the residual (any tensor where there is none), and a scale and a shift for each channel. */
struct AffineReluInputs {
  bool relu = false, hasResidual = false;

  void read(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("relu", &relu));
    OP_REQUIRES_OK(context, context->GetAttr("has_residual", &hasResidual));
  }

  absl::Status check(OpKernelContext* context) const {
    const Tensor& x = context->input(0);
    if (x.dims() < 2 || x.dim_size(x.dims() - 1) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("x must be [images, ..., channels], but its shape is ", x.shape().DebugString()));
    }
    const int64_t channels = x.dim_size(x.dims() - 1);
    TF_RETURN_IF_ERROR(requireLength("scale", context->input(2), channels));
    TF_RETURN_IF_ERROR(requireLength("shift", context->input(3), channels));
    return hasResidual ? requireSameShape("residual", context->input(1), x) : absl::OkStatus();
  }
};

}  // namespace gnbench
