// GnbenchAffineRelu on a GPU.
#pragma once
#include "cuda/device/affine-arguments.h"
#include "cuda/grid.h"
#include "cuda/tensors.h"
#include "ops/geometry.h"

namespace gnbench::cuda {

template <class T>
class AffineReluOp : public Operation {
 public:
  explicit AffineReluOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("relu", &relu_));
    OP_REQUIRES_OK(context, context->GetAttr("has_residual", &hasResidual_));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &residual = context->input(1);
    const Tensor &scale = context->input(2), &shift = context->input(3);
    OP_REQUIRES(context, x.dims() >= 2 && x.dim_size(x.dims() - 1) > 0,
                absl::InvalidArgumentError(
                    absl::StrCat("x must be [images, ..., channels], but its shape is ", x.shape().DebugString())));
    const int64_t channels = x.dim_size(x.dims() - 1);
    OP_REQUIRES_OK(context, requireLength("scale", scale, channels));
    OP_REQUIRES_OK(context, requireLength("shift", shift, channels));
    if (hasResidual_) OP_REQUIRES_OK(context, requireSameShape("residual", residual, x));
    Tensor* y;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0, 1}, 0, x.shape(), &y));
    if (x.NumElements() == 0) return;
    const AffineArguments arguments{x.NumElements(),
                                    static_cast<int>(channels),
                                    relu_,
                                    bytesOf(x),
                                    hasResidual_ ? bytesOf(residual) : nullptr,
                                    bytesOf(y),
                                    floats(scale),
                                    floats(shift)};
    Launcher(context).launch("affine-relu", named<T>("affine_relu"), {ceilDivide(arguments.elements, kThreads)}, kThreads,
                             arguments);
  }

 private:
  bool relu_ = false, hasResidual_ = false;
};

GNBENCH_CUDA_KERNELS("GnbenchAffineRelu", AffineReluOp);

}  // namespace gnbench::cuda
