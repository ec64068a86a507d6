// GnbenchConvBackpropFilter: the gradient of a convolution's weights.
#pragma once
#include "conv-geometry.h"

namespace gnbench {

class ConvBackpropFilterOp : public tensorflow::OpKernel {
 public:
  explicit ConvBackpropFilterOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride_));
    OP_REQUIRES_OK(context, context->GetAttr("kernel", &kernel_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &dy = context->input(1);
    OP_REQUIRES_OK(context, requireRank4("x", x));
    OP_REQUIRES_OK(context, requireRank4("dy", dy));
    const Plane in = planeOf(x), out = planeOf(dy);
    const ConvGeometry geometry{x.dim_size(0), in, out, kernel_, stride_};
    OP_REQUIRES_OK(context, geometry.check());
    OP_REQUIRES(context, dy.dim_size(0) == geometry.images,
                absl::InvalidArgumentError("x and dy have different numbers of images"));
    Tensor* dw;
    OP_REQUIRES_OK(context, context->allocate_output(0, {kernel_, kernel_, in.channels, out.channels}, &dw));

    // Slices of the images have sums of their own, added up in order. Their number must not depend on the threads.
    constexpr int64_t kBlock = 16, kTasks = 16;
    const int64_t blocks = (in.channels + kBlock - 1) / kBlock, vectors = out.channels / loops().lanes;
    const int64_t outputs = blocks * (out.channels / kBlock);
    const int64_t slices = std::max<int64_t>(1, std::min(geometry.images, kTasks / outputs));
    const int64_t size = geometry.weights();
    float* total = dw->flat<float>().data();
    Tensor others;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_FLOAT, {slices - 1, size}, &others));
    float* rest = others.flat<float>().data();
    if (geometry.images == 0) std::fill(total, total + size, 0.f);
    const auto sliceOf = [&](int64_t slice) { return slice == 0 ? total : rest + (slice - 1) * size; };
    const ConvPass pass = geometry.forward();
    const int64_t xSize = in.height * in.width * in.channels, dySize = out.height * out.width * out.channels;
    const float *xData = x.flat<float>().data(), *dyData = dy.flat<float>().data();
    const int threads = convThreads(context, geometry.multiplications());
    parallel(context, threads, slices * blocks * vectors, [&](int64_t task) {
      const int64_t block = task % blocks, vector = task / blocks % vectors, slice = task / blocks / vectors;
      const int64_t begin = geometry.images * slice / slices, end = geometry.images * (slice + 1) / slices;
      loops().convFilter(pass, xData + begin * xSize, dyData + begin * dySize, end - begin, block * kBlock,
                         std::min(in.channels, (block + 1) * kBlock), vector * loops().lanes, sliceOf(slice));
    });
    for (int64_t slice = 1; slice < slices; slice++) {
      const float* part = sliceOf(slice);
      for (int64_t i = 0; i < size; i++) total[i] += part[i];
    }
  }

 private:
  int64_t stride_ = 1, kernel_ = 3;
};

REGISTER_OP("GnbenchConvBackpropFilter")
    .Input("x: float")
    .Input("dy: float")
    .Output("dw: float")
    .Attr("stride: int")
    .Attr("kernel: int")
    .SetShapeFn([](InferenceContext* c) {
      int64_t kernel;
      TF_RETURN_IF_ERROR(c->GetAttr("kernel", &kernel));
      ShapeHandle x, dy;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &x));
      TF_RETURN_IF_ERROR(c->WithRank(c->input(1), 4, &dy));
      c->set_output(0, c->MakeShape({c->MakeDim(kernel), c->MakeDim(kernel), c->Dim(x, 3), c->Dim(dy, 3)}));
      return absl::OkStatus();
    });
GNBENCH_REGISTER_KERNEL("GnbenchConvBackpropFilter", ConvBackpropFilterOp);

}  // namespace gnbench
