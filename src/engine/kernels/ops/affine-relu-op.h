// GnbenchAffineRelu: y = relu?(x · scale + shift + residual) per channel: evaluation with running statistics, frozen BN.
#pragma once
#include "ops/inputs/affine-relu.h"
#include "ops/registration.h"

namespace gnbench {

template <class T>
class AffineReluOp : public Operation {
 public:
  explicit AffineReluOp(OpKernelConstruction* context) : Operation(context) { inputs_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &residual = context->input(1);
    const Tensor &scale = context->input(2), &shift = context->input(3);
    OP_REQUIRES_OK(context, inputs_.check(context));
    const int64_t channels = x.dim_size(x.dims() - 1), rows = x.NumElements() / channels;
    Tensor* y;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0, 1}, 0, x.shape(), &y));

    const char *from = bytesOf(x), *added = inputs_.hasResidual ? bytesOf(residual) : nullptr;
    char* to = bytesOf(y);
    const Affine affine{nullptr, scale.flat<float>().data(), shift.flat<float>().data()};
    const int64_t chunk = chunkRows(channels), width = channels * sizeof(T);
    const RowLoops& perRow = rowLoops<T>();
    const int threads = threadsFor(context, rows * width * (inputs_.hasResidual ? 3 : 2));
    parallel(context, threads, (rows + chunk - 1) / chunk, [&](int64_t task) {
      const int64_t row = task * chunk, at = row * width;
      perRow.affine(from + at, added ? added + at : nullptr, to + at, std::min(chunk, rows - row), channels, affine,
                    inputs_.relu);
    });
  }

 private:
  AffineReluInputs inputs_;
};

REGISTER_OP("GnbenchAffineRelu")
    .Input("x: T")
    .Input("residual: T")
    .Input("scale: float")
    .Input("shift: float")
    .Output("y: T")
    .Attr("T: {float, bfloat16}")
    .Attr("relu: bool")
    .Attr("has_residual: bool")
    .SetShapeFn(tensorflow::shape_inference::UnchangedShape);
GNBENCH_REGISTER_KERNELS("GnbenchAffineRelu", AffineReluOp);

}  // namespace gnbench
