// GnbenchMaxPool and its gradient: one pass each over images [images, height, width, channels].
#pragma once
#include "ops/inputs/pool.h"
#include "ops/registration.h"

namespace gnbench {

/** Rows that a task has. */
constexpr int64_t kPoolRows = 8;

inline int64_t valuesOf(const Plane& plane) { return plane.height * plane.width * plane.channels; }

template <class T>
constexpr Format formatOfType() {
  return std::is_same<T, float>::value ? kFloat32 : kBFloat16;
}

/** y: the largest value of each window; taps: which of the window's pixels it is, row by row; the first of several. */
template <class T>
class MaxPoolOp : public Operation {
 public:
  explicit MaxPoolOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    OP_REQUIRES_OK(context, requireImages("x", x));
    Pool pool;
    OP_REQUIRES_OK(context, attributes_.poolOf({x.dim_size(1), x.dim_size(2), x.dim_size(3)}, &pool));
    const int64_t images = x.dim_size(0), inSize = valuesOf(pool.in), outSize = valuesOf(pool.out);
    const tensorflow::TensorShape shape({images, pool.out.height, pool.out.width, pool.out.channels});
    Tensor *y, *taps;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &y));
    OP_REQUIRES_OK(context, context->allocate_output(1, shape, &taps));
    const T* from = x.flat<T>().data();
    T* to = y->flat<T>().data();
    uint8_t* tap = taps->flat<uint8_t>().data();
    const int64_t bands = (pool.out.height + kPoolRows - 1) / kPoolRows;
    parallel(context, threadsFor(context, images * (inSize + outSize) * sizeof(T)), images * bands, [&](int64_t task) {
      const int64_t image = task / bands, begin = task % bands * kPoolRows;
      loops().maxPool[formatOfType<T>()](pool, from + image * inSize, to + image * outSize, tap + image * outSize, begin,
                                         std::min(pool.out.height, begin + kPoolRows));
    });
  }

 private:
  PoolAttributes attributes_;
};

template <class T>
class MaxPoolGradOp : public Operation {
 public:
  explicit MaxPoolGradOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor &dy = context->input(0), &taps = context->input(1);
    Pool pool;
    OP_REQUIRES_OK(context, attributes_.poolOf(dy, taps, &pool));
    const int64_t images = dy.dim_size(0), inSize = valuesOf(pool.in), outSize = valuesOf(pool.out);
    Tensor* dx;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, pool.in.height, pool.in.width, pool.in.channels}, &dx));
    const T* from = dy.flat<T>().data();
    const uint8_t* tap = taps.flat<uint8_t>().data();
    T* to = dx->flat<T>().data();
    const int64_t bands = (pool.in.height + kPoolRows - 1) / kPoolRows;
    parallel(context, threadsFor(context, images * (inSize + outSize) * sizeof(T)), images * bands, [&](int64_t task) {
      const int64_t image = task / bands, begin = task % bands * kPoolRows;
      loops().maxPoolGradient[formatOfType<T>()](pool, from + image * outSize, tap + image * outSize, to + image * inSize,
                                                 begin, std::min(pool.in.height, begin + kPoolRows));
    });
  }

 private:
  PoolGradAttributes attributes_;
};

REGISTER_OP("GnbenchMaxPool")
    .Input("x: T")
    .Output("y: T")
    .Output("taps: uint8")
    .Attr("T: {float, bfloat16}")
    .Attr("kernel: list(int)")
    .Attr("stride: list(int)")
    .Attr("padding: list(int)")
    .SetShapeFn([](InferenceContext* c) {
      std::vector<int64_t> kernel, stride, padding;
      TF_RETURN_IF_ERROR(c->GetAttr("kernel", &kernel));
      TF_RETURN_IF_ERROR(c->GetAttr("stride", &stride));
      TF_RETURN_IF_ERROR(c->GetAttr("padding", &padding));
      ShapeHandle x;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &x));
      const auto size = [&](int axis) {
        if (!c->ValueKnown(c->Dim(x, axis + 1))) return c->UnknownDim();
        return c->MakeDim((c->Value(c->Dim(x, axis + 1)) + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1);
      };
      const ShapeHandle y = c->MakeShape({c->Dim(x, 0), size(0), size(1), c->Dim(x, 3)});
      c->set_output(0, y);
      c->set_output(1, y);
      return absl::OkStatus();
    });

REGISTER_OP("GnbenchMaxPoolGrad")
    .Input("dy: T")
    .Input("taps: uint8")
    .Output("dx: T")
    .Attr("T: {float, bfloat16}")
    .Attr("kernel: list(int)")
    .Attr("stride: list(int)")
    .Attr("padding: list(int)")
    .Attr("height: int >= 1")
    .Attr("width: int >= 1")
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle dy;
      std::vector<DimensionHandle> sizes;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &dy));
      TF_RETURN_IF_ERROR(attributeDimensions(c, {"height", "width"}, &sizes));
      c->set_output(0, c->MakeShape({c->Dim(dy, 0), sizes[0], sizes[1], c->Dim(dy, 3)}));
      return absl::OkStatus();
    });
GNBENCH_REGISTER_KERNELS("GnbenchMaxPool", MaxPoolOp);
GNBENCH_REGISTER_KERNELS("GnbenchMaxPoolGrad", MaxPoolGradOp);

}  // namespace gnbench
