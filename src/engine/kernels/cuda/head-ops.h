// GnbenchSoftmaxLoss, GnbenchGlobalAverage and its gradient on a GPU.
#pragma once
#include "cuda/device/head-arguments.h"
#include "cuda/grid.h"
#include "cuda/tensors.h"
#include "ops/inputs/head.h"

namespace gnbench::cuda {

class SoftmaxLossOp : public Operation {
 public:
  using Operation::Operation;

  void compute(OpKernelContext* context) override {
    const Tensor &logits = context->input(0), &labels = context->input(1);
    OP_REQUIRES_OK(context, requireLogits(logits, labels));
    const int64_t images = logits.dim_size(0), classes = logits.dim_size(1);
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
  explicit GlobalAverageGradOp(OpKernelConstruction* context) : Operation(context) { sides_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    tensorflow::TensorShape shape;
    OP_REQUIRES_OK(context, sides_.outputShape(dy, &shape));
    const int64_t images = dy.dim_size(0), channels = dy.dim_size(1);
    Tensor* dx;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &dx));
    if (dx->NumElements() == 0) return;
    const AverageArguments arguments{int(images), int(sides_.pixels()), int(channels), 0, bytesOf(dy), bytesOf(dx)};
    Launcher(context).launch("global-average", named<T>("global_average_grad"), {ceilDivide(dx->NumElements(), kThreads)},
                             kThreads, arguments);
  }

 private:
  AveragedSides sides_;
};

REGISTER_KERNEL_BUILDER(GNBENCH_CUDA_KERNEL("GnbenchSoftmaxLoss"), SoftmaxLossOp);
GNBENCH_CUDA_KERNELS("GnbenchGlobalAverage", GlobalAverageOp);
GNBENCH_CUDA_KERNELS("GnbenchGlobalAverageGrad", GlobalAverageGradOp);

}  // namespace gnbench::cuda
