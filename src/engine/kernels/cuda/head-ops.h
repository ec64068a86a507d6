// GnbenchSoftmaxLoss, GnbenchGlobalAverage and its gradient on a GPU.
#pragma once
#include "cuda/device/head-arguments.h"
#include "cuda/image-ops.h"

namespace gnbench::cuda {

class SoftmaxLossOp : public Operation {
 public:
  using Operation::Operation;

  void compute(OpKernelContext* context) override {
    const Tensor &logits = context->input(0), &labels = context->input(1);
    OP_REQUIRES(context, logits.dims() == 2 && logits.NumElements() > 0,
                absl::InvalidArgumentError(
                    absl::StrCat("logits must be [images, classes], but their shape is ", logits.shape().DebugString())));
    const int64_t images = logits.dim_size(0), classes = logits.dim_size(1);
    OP_REQUIRES_OK(context, requireLength("labels", labels, images));
    Tensor *loss, *errors, *gradient;
    OP_REQUIRES_OK(context, context->allocate_output(0, {}, &loss));
    OP_REQUIRES_OK(context, context->allocate_output(1, {}, &errors));
    OP_REQUIRES_OK(context, context->allocate_output(2, logits.shape(), &gradient));
    Scratch scratch;  // two numbers of float64 for each image
    OP_REQUIRES_OK(context, scratch.take(context, 4 * images));
    const SoftmaxLossArguments arguments{int(images),
                                         int(classes),
                                         floats(logits),
                                         labels.flat<int32_t>().data(),
                                         floats(loss),
                                         floats(errors),
                                         floats(gradient),
                                         reinterpret_cast<double*>(scratch.floats())};
    Launcher launcher(context);
    launcher.launch("softmax-loss", "softmax_loss_image", {images}, 128, arguments);
    launcher.launch("softmax-loss", "softmax_loss_total", {1}, 128, arguments);
  }
};

template <class T>
class GlobalAverageOp : public Operation {
 public:
  using Operation::Operation;

  void compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    OP_REQUIRES_OK(context, requireImages("x", x));
    const int64_t images = x.dim_size(0), channels = x.dim_size(3), slab = std::min<int64_t>(channels, 32);
    OP_REQUIRES(context, images <= 65535, absl::InvalidArgumentError(absl::StrCat(images, " images are too many")));
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, channels}, &y));
    const AverageArguments arguments{int(images), int(x.dim_size(1) * x.dim_size(2)), int(channels), int(slab),
                                     bytesOf(x),  bytesOf(y)};
    Launcher(context).launch("global-average", named<T>("global_average"), {ceilDivide(channels, slab), images}, kThreads,
                             arguments);
  }
};

template <class T>
class GlobalAverageGradOp : public Operation {
 public:
  explicit GlobalAverageGradOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("height", &height_));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width_));
  }

  void compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    OP_REQUIRES(context, dy.dims() == 2 && height_ > 0 && width_ > 0,
                absl::InvalidArgumentError("dy must be [images, channels], height and width positive"));
    const int64_t images = dy.dim_size(0), channels = dy.dim_size(1);
    Tensor* dx;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, height_, width_, channels}, &dx));
    if (dx->NumElements() == 0) return;
    const AverageArguments arguments{int(images), int(height_ * width_), int(channels), 0, bytesOf(dy), bytesOf(dx)};
    Launcher(context).launch("global-average", named<T>("global_average_grad"), {ceilDivide(dx->NumElements(), kThreads)},
                             kThreads, arguments);
  }

 private:
  int64_t height_ = 0, width_ = 0;
};

REGISTER_KERNEL_BUILDER(GNBENCH_CUDA_KERNEL("GnbenchSoftmaxLoss"), SoftmaxLossOp);
GNBENCH_CUDA_KERNELS("GnbenchGlobalAverage", GlobalAverageOp);
GNBENCH_CUDA_KERNELS("GnbenchGlobalAverageGrad", GlobalAverageGradOp);

}  // namespace gnbench::cuda
