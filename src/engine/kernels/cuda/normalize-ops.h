// GnbenchNormalize and its gradient on a GPU.
#pragma once
#include "cuda/normalize-plan.h"
#include "cuda/tensors.h"
#include "ops/geometry.h"

namespace gnbench::cuda {

inline absl::Status requireLaunchable(const Geometry& geometry) {
  if (geometry.sets <= 65535 && geometry.group.rows < (int64_t{1} << 31)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(geometry.sets, " sets of ", geometry.group.rows,
                                                 " pixels are more than a GPU is launched with"));
}

template <class T>
class NormalizeOp : public Operation {
 public:
  explicit NormalizeOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &residual = context->input(1);
    const Tensor &gamma = context->input(2), &beta = context->input(3);
    Geometry geometry;
    OP_REQUIRES_OK(context, attributes_.geometry(x, &geometry));
    OP_REQUIRES_OK(context, requireLaunchable(geometry));
    const int64_t rows = geometry.group.rows, channels = geometry.group.channels;
    OP_REQUIRES_OK(context, requireLength("gamma", gamma, channels));
    OP_REQUIRES_OK(context, requireLength("beta", beta, channels));
    if (attributes_.residual) OP_REQUIRES_OK(context, requireSameShape("residual", residual, x));
    const tensorflow::TensorShape perGroup({geometry.sets * geometry.groups});
    Tensor *y, *mean, *rstd, *variance;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0, 1}, 0, x.shape(), &y));
    OP_REQUIRES_OK(context, context->allocate_output(1, perGroup, &mean));
    OP_REQUIRES_OK(context, context->allocate_output(2, perGroup, &rstd));
    OP_REQUIRES_OK(context, context->allocate_output(3, perGroup, &variance));
    if (geometry.sets == 0) return;

    const NormalizePlan plan = planNormalize(geometry.sets, rows, channels, attributes_.channelsPerGroup, 1);
    Scratch scratch;
    NormalizeArguments arguments{plan.shape,
                                 attributes_.epsilon,
                                 attributes_.relu,
                                 bytesOf(x),
                                 attributes_.residual ? bytesOf(residual) : nullptr,
                                 bytesOf(y),
                                 floats(gamma),
                                 floats(beta),
                                 floats(mean),
                                 floats(rstd),
                                 floats(variance),
                                 nullptr,
                                 nullptr};
    Launcher launcher(context);
    if (plan.oneLaunch) {
      launcher.launch("normalize", named<T>("normalize_set"), {plan.slabs, geometry.sets}, plan.threads, arguments);
      return;
    }
    const int64_t groups = geometry.sets * geometry.groups;
    OP_REQUIRES_OK(context, scratch.take(context, groups * (3 * plan.shape.chunks + 1)));
    arguments.shift = scratch.floats();
    arguments.partial = scratch.floats() + groups;
    const Grid grid{plan.slabs, plan.shape.chunks, geometry.sets};
    launcher.launch("normalize", named<T>("normalize_moments"), grid, plan.threads, arguments);
    launcher.launch("normalize", named<T>("normalize_apply"), grid, plan.threads, arguments);
  }

 private:
  NormalizeAttributes attributes_;
};

template <class T>
class NormalizeGradOp : public Operation {
 public:
  explicit NormalizeGradOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor &dy = context->input(0), &x = context->input(1), &y = context->input(2);
    const Tensor &gamma = context->input(3), &mean = context->input(4), &rstd = context->input(5);
    Geometry geometry;
    OP_REQUIRES_OK(context, attributes_.geometry(x, &geometry));
    OP_REQUIRES_OK(context, requireLaunchable(geometry));
    const int64_t rows = geometry.group.rows, channels = geometry.group.channels;
    OP_REQUIRES_OK(context, requireSameShape("dy", dy, x));
    if (attributes_.relu) OP_REQUIRES_OK(context, requireSameShape("y", y, x));
    OP_REQUIRES_OK(context, requireLength("gamma", gamma, channels));
    OP_REQUIRES_OK(context, requireLength("mean", mean, geometry.sets * geometry.groups));
    OP_REQUIRES_OK(context, requireLength("rstd", rstd, geometry.sets * geometry.groups));
    OP_REQUIRES(context, geometry.sets > 0, absl::InvalidArgumentError("x has no images"));
    Tensor *dx, *dgamma, *dbeta, *masked = nullptr;
    if (!attributes_.residual) {
      OP_REQUIRES_OK(context, context->allocate_output(3, tensorflow::TensorShape({0}), &masked));
      masked = nullptr;
    } else if (attributes_.relu) {
      OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 3, x.shape(), &masked));
    } else {
      context->set_output(3, dy);
    }
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0, 1, 2}, 0, x.shape(), &dx));
    OP_REQUIRES_OK(context, context->allocate_output(1, gamma.shape(), &dgamma));
    OP_REQUIRES_OK(context, context->allocate_output(2, gamma.shape(), &dbeta));

    const NormalizePlan plan =
        planNormalize(geometry.sets, rows, channels, attributes_.channelsPerGroup, geometry.sets);
    Scratch scratch;
    NormalizeGradArguments arguments{plan.shape,
                                     bytesOf(dy),
                                     bytesOf(x),
                                     attributes_.relu ? bytesOf(y) : nullptr,
                                     masked == nullptr ? nullptr : bytesOf(masked),
                                     bytesOf(dx),
                                     floats(gamma),
                                     floats(mean),
                                     floats(rstd),
                                     floats(dgamma),
                                     floats(dbeta),
                                     nullptr};
    Launcher launcher(context);
    if (plan.oneLaunch) {
      launcher.launch("normalize-grad", named<T>("normalize_grad"), {plan.slabs}, plan.threads, arguments);
      return;
    }
    const int64_t chunks = plan.shape.chunks;
    OP_REQUIRES_OK(context, scratch.take(context, 2 * geometry.sets * chunks * channels));
    arguments.partial = scratch.floats();
    const auto launch = [&](const char* kernel, int64_t rowsOfBlocks) {
      const Grid grid{plan.slabs, rowsOfBlocks, geometry.sets};
      launcher.launch("normalize-grad", named<T>(kernel), grid, plan.threads, arguments);
    };
    launch("normalize_grad_sums", chunks);
    launch("normalize_grad_apply", chunks + 1);  // the last row of blocks: the parameters' gradients
  }

 private:
  NormalizeAttributes attributes_;
};

GNBENCH_CUDA_KERNELS("GnbenchNormalize", NormalizeOp);
GNBENCH_CUDA_KERNELS("GnbenchNormalizeGrad", NormalizeGradOp);

}  // namespace gnbench::cuda
