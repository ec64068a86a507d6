// GnbenchImages, GnbenchSubsample and its gradient on a GPU.
#pragma once
#include "cuda/device/image-arguments.h"
#include "cuda/grid.h"
#include "cuda/tensors.h"
#include "ops/inputs/images.h"

namespace gnbench::cuda {

template <class T>
class ImagesOp : public Operation {
 public:
  using Operation::Operation;

  void compute(OpKernelContext* context) override {
    const Tensor &images = context->input(0), &mean = context->input(1), &scale = context->input(2);
    OP_REQUIRES_OK(context, requireStandardizable(images, mean, scale));
    const int64_t channels = images.dim_size(3);
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, images.shape(), &y));
    const ImagesArguments arguments{images.NumElements(),
                                    static_cast<int>(channels),
                                    images.flat<uint8_t>().data(),
                                    floats(mean),
                                    floats(scale),
                                    bytesOf(y)};
    Launcher(context).launch("images", named<T>("images"), {ceilDivide(arguments.elements, kThreads)}, kThreads, arguments);
  }
};

template <class T>
class SubsampleOp : public Operation {
 public:
  explicit SubsampleOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    tensorflow::TensorShape shape;
    OP_REQUIRES_OK(context, attributes_.outputShape(x, &shape));
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &y));
    const SubsampleArguments arguments{
        x.dim_size(0),       int(x.dim_size(1)), int(x.dim_size(2)), int(x.dim_size(3)), int(attributes_.channels),
        int(attributes_.stride), bytesOf(x),         bytesOf(y)};
    Launcher(context).launch("subsample", named<T>("subsample"), {ceilDivide(y->NumElements(), kThreads)}, kThreads,
                             arguments);
  }

 private:
  SubsampleAttributes attributes_;
};

template <class T>
class SubsampleGradOp : public Operation {
 public:
  explicit SubsampleGradOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    tensorflow::TensorShape shape;
    OP_REQUIRES_OK(context, attributes_.outputShape(dy, &shape));
    Tensor* dx;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &dx));
    const SubsampleArguments arguments{
        dy.dim_size(0),          int(attributes_.height), int(attributes_.width), int(attributes_.channels),
        int(dy.dim_size(3)), int(attributes_.stride), bytesOf(dy),            bytesOf(dx)};
    Launcher(context).launch("subsample", named<T>("subsample_grad"), {ceilDivide(dx->NumElements(), kThreads)}, kThreads,
                             arguments);
  }

 private:
  SubsampleGradAttributes attributes_;
};

GNBENCH_CUDA_KERNELS("GnbenchImages", ImagesOp);
GNBENCH_CUDA_KERNELS("GnbenchSubsample", SubsampleOp);
GNBENCH_CUDA_KERNELS("GnbenchSubsampleGrad", SubsampleGradOp);

}  // namespace gnbench::cuda
