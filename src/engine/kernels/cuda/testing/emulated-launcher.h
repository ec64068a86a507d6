// Stands in for launcher.h in tests: kernels run on the CPU, which is also where operations put their tensors.
#pragma once
#include <map>
#include <string>

#include "cuda/testing/emulation.h"

#include "cuda/device/affine-relu.cu"
#include "cuda/device/global-average.cu"
#include "cuda/device/images.cu"
#include "cuda/device/max-pool.cu"
#include "cuda/device/moving-average.cu"
#include "cuda/device/normalize-grad.cu"
#include "cuda/device/normalize.cu"
#include "cuda/device/rectify.cu"
#include "cuda/device/sgd.cu"
#include "cuda/device/softmax-loss.cu"
#include "cuda/device/subsample.cu"
#include "cuda/grid.h"
#include "ops/operation.h"

namespace gnbench::cuda {

/** Before the kernels of the CPU that are registered for the same operations. */
#define GNBENCH_CUDA_KERNEL(name) Name(name).Device(tensorflow::DEVICE_CPU).Priority(1)

class Launcher {
 public:
  explicit Launcher(OpKernelContext*) {}

  template <class Arguments>
  void launch(const char* file, const std::string& kernel, Grid grid, int threads, const Arguments& arguments) {
    if (threads > 1024 || grid.y > 65535 || grid.z > 65535) throw std::runtime_error("no GPU has blocks of this size");
    const auto found = kernels().find(kernel);
    if (found == kernels().end()) throw std::runtime_error("there is no kernel " + kernel + " in " + file);
    launches()++;
    emulation::launch({unsigned(grid.x), unsigned(grid.y), unsigned(grid.z)}, threads, found->second, &arguments);
  }

  void upload(void* to, const void* from, size_t bytes) { std::memcpy(to, from, bytes); }

  /** So that a test knows that the kernels ran. */
  static int& launches() {
    static int count = 0;
    return count;
  }

 private:
  using Kernel = void (*)(const void*);

  static const std::map<std::string, Kernel>& kernels() {
#define GNBENCH_ONE_KERNEL(name, Arguments) \
  {#name, [](const void* arguments) { name(*static_cast<const Arguments*>(arguments)); }}
#define GNBENCH_BOTH_FORMATS(name, Arguments) \
  GNBENCH_ONE_KERNEL(name##_float, Arguments), GNBENCH_ONE_KERNEL(name##_bfloat16, Arguments)
    static const std::map<std::string, Kernel> all = {
        GNBENCH_BOTH_FORMATS(normalize_set, NormalizeArguments),
        GNBENCH_BOTH_FORMATS(normalize_moments, NormalizeArguments),
        GNBENCH_BOTH_FORMATS(normalize_apply, NormalizeArguments),
        GNBENCH_BOTH_FORMATS(normalize_grad, NormalizeGradArguments),
        GNBENCH_BOTH_FORMATS(normalize_grad_sums, NormalizeGradArguments),
        GNBENCH_BOTH_FORMATS(normalize_grad_apply, NormalizeGradArguments),
        GNBENCH_BOTH_FORMATS(affine_relu, AffineArguments),
        GNBENCH_BOTH_FORMATS(global_average, AverageArguments),
        GNBENCH_BOTH_FORMATS(global_average_grad, AverageArguments),
        GNBENCH_BOTH_FORMATS(images, ImagesArguments),
        GNBENCH_BOTH_FORMATS(max_pool, PoolArguments),
        GNBENCH_BOTH_FORMATS(max_pool_grad, PoolArguments),
        GNBENCH_ONE_KERNEL(moving_average, MovingAverageArguments),
        GNBENCH_BOTH_FORMATS(rectify, RectifyArguments),
        GNBENCH_BOTH_FORMATS(rectify_grad, RectifyGradArguments),
        GNBENCH_ONE_KERNEL(sgd, SgdArguments),
        GNBENCH_ONE_KERNEL(softmax_loss_image, SoftmaxLossArguments),
        GNBENCH_ONE_KERNEL(softmax_loss_total, SoftmaxLossArguments),
        GNBENCH_BOTH_FORMATS(subsample, SubsampleArguments),
        GNBENCH_BOTH_FORMATS(subsample_grad, SubsampleArguments),
    };
    return all;
  }
};

}  // namespace gnbench::cuda
