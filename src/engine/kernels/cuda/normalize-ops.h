// GnbenchNormalize and its gradient on a GPU.
#pragma once
#include "cuda/normalize-plan.h"
#include "cuda/tensors.h"
#include "ops/inputs/normalize.h"

namespace gnbench::cuda {

inline absl::Status requireLaunchable(const Geometry& geometry) {
  if (geometry.sets <= 65535 && geometry.group.rows < (int64_t{1} << 31)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(geometry.sets, " sets of ", geometry.group.rows,
                                                 " pixels are more than a GPU is launched with"));
}

template <class T>
class NormalizeOp : public Operation {
 public:
  explicit NormalizeOp(OpKernelConstruction* context) : Operation(context) { inputs_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &residual = context->input(1);
    const Tensor &gamma = context->input(2), &beta = context->input(3);
    Geometry geometry;
    OP_REQUIRES_OK(context, inputs_.check(context, &geometry));
    OP_REQUIRES_OK(context, requireLaunchable(geometry));
    NormalizeOutputs outputs;
    OP_REQUIRES_OK(context, outputs.allocate(context, geometry));
    if (geometry.sets == 0) return;

    const NormalizePlan plan =
        planNormalize(geometry.sets, geometry.group.rows, geometry.group.channels, inputs_.channelsPerGroup, 1);
    Scratch scratch;
    NormalizeArguments arguments{plan.shape,
                                 inputs_.epsilon,
                                 inputs_.relu,
                                 bytesOf(x),
                                 inputs_.residual ? bytesOf(residual) : nullptr,
                                 bytesOf(outputs.y),
                                 floats(gamma),
                                 floats(beta),
                                 floats(outputs.mean),
                                 floats(outputs.rstd),
                                 floats(outputs.variance),
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
  NormalizeInputs inputs_;
};

template <class T>
class NormalizeGradOp : public Operation {
 public:
  explicit NormalizeGradOp(OpKernelConstruction* context) : Operation(context) { inputs_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor &dy = context->input(0), &x = context->input(1), &y = context->input(2);
    const Tensor &gamma = context->input(3), &mean = context->input(4), &rstd = context->input(5);
    Geometry geometry;
    OP_REQUIRES_OK(context, inputs_.check(context, &geometry));
    OP_REQUIRES_OK(context, requireLaunchable(geometry));
    OP_REQUIRES(context, geometry.sets > 0, absl::InvalidArgumentError("x has no images"));
    NormalizeGradOutputs outputs;
    OP_REQUIRES_OK(context, outputs.allocate(context, inputs_));
    const int64_t rows = geometry.group.rows, channels = geometry.group.channels;

    const NormalizePlan plan =
        planNormalize(geometry.sets, rows, channels, inputs_.channelsPerGroup, geometry.sets);
    Scratch scratch;
    NormalizeGradArguments arguments{plan.shape,
                                     bytesOf(dy),
                                     bytesOf(x),
                                     inputs_.relu ? bytesOf(y) : nullptr,
                                     outputs.masked == nullptr ? nullptr : bytesOf(outputs.masked),
                                     bytesOf(outputs.dx),
                                     floats(gamma),
                                     floats(mean),
                                     floats(rstd),
                                     floats(outputs.dgamma),
                                     floats(outputs.dbeta),
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
  NormalizeGradInputs inputs_;
};

GNBENCH_CUDA_KERNELS("GnbenchNormalize", NormalizeOp);
GNBENCH_CUDA_KERNELS("GnbenchNormalizeGrad", NormalizeGradOp);

}  // namespace gnbench::cuda
