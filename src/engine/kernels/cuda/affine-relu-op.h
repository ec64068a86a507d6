// GnbenchAffineRelu on a GPU.
#pragma once
#include "cuda/device/affine-arguments.h"
#include "cuda/grid.h"
#include "cuda/tensors.h"
#include "ops/inputs/affine-relu.h"

namespace gnbench::cuda {

template <class T>
class AffineReluOp : public Operation {
 public:
  explicit AffineReluOp(OpKernelConstruction* context) : Operation(context) { inputs_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &residual = context->input(1);
    const Tensor &scale = context->input(2), &shift = context->input(3);
    OP_REQUIRES_OK(context, inputs_.check(context));
    const int64_t channels = x.dim_size(x.dims() - 1);
    Tensor* y;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0, 1}, 0, x.shape(), &y));
    if (x.NumElements() == 0) return;
    const AffineArguments arguments{x.NumElements(),
                                    static_cast<int>(channels),
                                    inputs_.relu,
                                    bytesOf(x),
                                    inputs_.hasResidual ? bytesOf(residual) : nullptr,
                                    bytesOf(y),
                                    floats(scale),
                                    floats(shift)};
    Launcher(context).launch("affine-relu", named<T>("affine_relu"), {ceilDivide(arguments.elements, kThreads)}, kThreads,
                             arguments);
  }

 private:
  AffineReluInputs inputs_;
};

GNBENCH_CUDA_KERNELS("GnbenchAffineRelu", AffineReluOp);

}  // namespace gnbench::cuda
