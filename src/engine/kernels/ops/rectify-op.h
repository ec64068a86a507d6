// GnbenchRectify and its gradient: y = max(x + residual, 0), element by element, where no normalizer is there to fold it
// into. TensorFlow's own two operations pass over the memory once more, and move images between the cores' caches.
#pragma once
#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

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
    const char *from = bytesOf(x), *added = hasResidual_ ? bytesOf(residual) : nullptr;
    char* to = bytesOf(y);
    const auto rectify = loops().rectify[std::is_same<T, float>::value ? kFloat32 : kBFloat16];
    parallelElements(context, x.NumElements(), (hasResidual_ ? 3 : 2) * sizeof(T), [&](int64_t first, int64_t count) {
      const int64_t at = first * sizeof(T);
      rectify(count, from + at, added ? added + at : nullptr, to + at);
    });
  }

 private:
  bool hasResidual_ = false;
};

template <class T>
class RectifyGradOp : public Operation {
 public:
  explicit RectifyGradOp(OpKernelConstruction* context) : Operation(context) {}

  void compute(OpKernelContext* context) override {
    const Tensor &dy = context->input(0), &y = context->input(1);
    OP_REQUIRES_OK(context, requireSameShape("y", y, dy));
    Tensor* dx;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, dy.shape(), &dx));
    const char *from = bytesOf(dy), *result = bytesOf(y);
    char* to = bytesOf(dx);
    const auto gradient = loops().rectifyGradient[std::is_same<T, float>::value ? kFloat32 : kBFloat16];
    parallelElements(context, dy.NumElements(), 3 * sizeof(T), [&](int64_t first, int64_t count) {
      const int64_t at = first * sizeof(T);
      gradient(count, from + at, result + at, to + at);
    });
  }
};

REGISTER_OP("GnbenchRectify")
    .Input("x: T")
    .Input("residual: T")
    .Output("y: T")
    .Attr("T: {float, bfloat16} = DT_FLOAT")
    .Attr("has_residual: bool")
    .SetShapeFn(tensorflow::shape_inference::UnchangedShape);
REGISTER_OP("GnbenchRectifyGrad")
    .Input("dy: T")
    .Input("y: T")
    .Output("dx: T")
    .Attr("T: {float, bfloat16} = DT_FLOAT")
    .SetShapeFn(tensorflow::shape_inference::UnchangedShape);
GNBENCH_REGISTER_KERNELS("GnbenchRectify", RectifyOp);
GNBENCH_REGISTER_KERNELS("GnbenchRectifyGrad", RectifyGradOp);

}  // namespace gnbench
