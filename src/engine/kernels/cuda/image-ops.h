// GnbenchImages, GnbenchSubsample and its gradient on a GPU.
#pragma once
#include "cuda/device/image-arguments.h"
#include "cuda/grid.h"
#include "cuda/tensors.h"
#include "ops/geometry.h"

namespace gnbench::cuda {

inline absl::Status requireImages(const char* name, const Tensor& tensor) {
  if (tensor.dims() == 4 && tensor.NumElements() > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " must be [images, height, width, channels], but its shape is ", tensor.shape().DebugString()));
}

template <class T>
class ImagesOp : public Operation {
 public:
  using Operation::Operation;

  void compute(OpKernelContext* context) override {
    const Tensor &images = context->input(0), &mean = context->input(1), &scale = context->input(2);
    OP_REQUIRES_OK(context, requireImages("images", images));
    const int64_t channels = images.dim_size(3);
    OP_REQUIRES_OK(context, requireLength("mean", mean, channels));
    OP_REQUIRES_OK(context, requireLength("scale", scale, channels));
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
  explicit SubsampleOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride_));
    OP_REQUIRES_OK(context, context->GetAttr("channels", &channels_));
  }

  void compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    OP_REQUIRES_OK(context, requireImages("x", x));
    const int64_t height = x.dim_size(1), width = x.dim_size(2), kept = x.dim_size(3);
    OP_REQUIRES(context, channels_ >= kept,
                absl::InvalidArgumentError(absl::StrCat(kept, " channels cannot be padded to ", channels_)));
    Tensor* y;
    const tensorflow::TensorShape shape(
        {x.dim_size(0), ceilDivide(height, stride_), ceilDivide(width, stride_), channels_});
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &y));
    const SubsampleArguments arguments{x.dim_size(0),   int(height),  int(width), int(kept),
                                       int(channels_), int(stride_), bytesOf(x), bytesOf(y)};
    Launcher(context).launch("subsample", named<T>("subsample"), {ceilDivide(y->NumElements(), kThreads)}, kThreads,
                             arguments);
  }

 private:
  int64_t stride_ = 1, channels_ = 0;
};

template <class T>
class SubsampleGradOp : public Operation {
 public:
  explicit SubsampleGradOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride_));
    OP_REQUIRES_OK(context, context->GetAttr("height", &height_));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width_));
    OP_REQUIRES_OK(context, context->GetAttr("channels", &channels_));
  }

  void compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    OP_REQUIRES_OK(context, requireImages("dy", dy));
    OP_REQUIRES(context,
                dy.dim_size(1) == ceilDivide(height_, stride_) && dy.dim_size(2) == ceilDivide(width_, stride_) &&
                    dy.dim_size(3) >= channels_,
                absl::InvalidArgumentError(absl::StrCat("shape mismatch: dy ", dy.shape().DebugString(),
                                                        ", but x has images of ", height_, " x ", width_, " x ",
                                                        channels_)));
    Tensor* dx;
    OP_REQUIRES_OK(context, context->allocate_output(0, {dy.dim_size(0), height_, width_, channels_}, &dx));
    const SubsampleArguments arguments{dy.dim_size(0),       int(height_), int(width_), int(channels_),
                                       int(dy.dim_size(3)), int(stride_), bytesOf(dy), bytesOf(dx)};
    Launcher(context).launch("subsample", named<T>("subsample_grad"), {ceilDivide(dx->NumElements(), kThreads)}, kThreads,
                             arguments);
  }

 private:
  int64_t stride_ = 1, height_ = 0, width_ = 0, channels_ = 0;
};

GNBENCH_CUDA_KERNELS("GnbenchImages", ImagesOp);
GNBENCH_CUDA_KERNELS("GnbenchSubsample", SubsampleOp);
GNBENCH_CUDA_KERNELS("GnbenchSubsampleGrad", SubsampleGradOp);

}  // namespace gnbench::cuda
