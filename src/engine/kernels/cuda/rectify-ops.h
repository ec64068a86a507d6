// GnbenchRectify and its gradient on a GPU.
#pragma once
#include "cuda/device/rectify-arguments.h"
#include "cuda/grid.h"
#include "cuda/tensors.h"
#include "ops/geometry.h"

namespace gnbench::cuda {

template <class T>
class RectifyOp : public Operation {
 public:
  explicit RectifyOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("has_residual", &hasResidual_));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &residual = context->input(1);
    if (hasResidual_) OP_REQUIRES_OK(context, requireSameShape("residual", residual, x));
    Tensor* y;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0, 1}, 0, x.shape(), &y));
    if (x.NumElements() == 0) return;
    const RectifyArguments arguments{x.NumElements(), bytesOf(x), hasResidual_ ? bytesOf(residual) : nullptr, bytesOf(y)};
    Launcher(context).launch("rectify", named<T>("rectify"), {ceilDivide(arguments.elements, kThreads)}, kThreads, arguments);
  }

 private:
  bool hasResidual_ = false;
};

template <class T>
class RectifyGradOp : public Operation {
 public:
  using Operation::Operation;

  void compute(OpKernelContext* context) override {
    const Tensor &dy = context->input(0), &y = context->input(1);
    OP_REQUIRES_OK(context, requireSameShape("y", y, dy));
    Tensor* dx;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, dy.shape(), &dx));
    if (dy.NumElements() == 0) return;
    const RectifyGradArguments arguments{dy.NumElements(), bytesOf(dy), bytesOf(y), bytesOf(dx)};
    Launcher(context).launch("rectify", named<T>("rectify_grad"), {ceilDivide(arguments.elements, kThreads)}, kThreads,
                             arguments);
  }
};

GNBENCH_CUDA_KERNELS("GnbenchRectify", RectifyOp);
GNBENCH_CUDA_KERNELS("GnbenchRectifyGrad", RectifyGradOp);

}  // namespace gnbench::cuda
