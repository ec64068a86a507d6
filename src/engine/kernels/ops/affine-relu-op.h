// GnbenchAffineRelu: y = relu?(x · scale + shift + residual) per channel: evaluation with running statistics, frozen BN.
#pragma once
#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

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
    const int64_t channels = x.dim_size(x.dims() - 1), rows = x.NumElements() / channels;
    OP_REQUIRES_OK(context, requireLength("scale", scale, channels));
    OP_REQUIRES_OK(context, requireLength("shift", shift, channels));
    if (hasResidual_) OP_REQUIRES_OK(context, requireSameShape("residual", residual, x));
    Tensor* y;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0, 1}, 0, x.shape(), &y));

    const char *from = bytesOf(x), *added = hasResidual_ ? bytesOf(residual) : nullptr;
    char* to = bytesOf(y);
    const Affine affine{nullptr, scale.flat<float>().data(), shift.flat<float>().data()};
    const int64_t chunk = chunkRows(channels), width = channels * sizeof(T);
    const RowLoops& perRow = rowLoops<T>();
    const int threads = threadsFor(context, rows * width * (hasResidual_ ? 3 : 2));
    parallel(context, threads, (rows + chunk - 1) / chunk, [&](int64_t task) {
      const int64_t row = task * chunk, at = row * width;
      perRow.affine(from + at, added ? added + at : nullptr, to + at, std::min(chunk, rows - row), channels, affine,
                    relu_);
    });
  }

 private:
  bool relu_ = false, hasResidual_ = false;
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
