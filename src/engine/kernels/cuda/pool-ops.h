// GnbenchMaxPool and its gradient on a GPU.
#pragma once
#include "cuda/device/image-arguments.h"
#include "cuda/grid.h"
#include "cuda/tensors.h"
#include "ops/inputs/pool.h"

namespace gnbench::cuda {

inline PoolArguments poolArguments(int64_t images, const Pool& pool, const void* from, void* to, const void* taps) {
  PoolArguments a{images, int(pool.in.height), int(pool.in.width), int(pool.in.channels), int(pool.out.height),
                  int(pool.out.width)};
  for (int axis = 0; axis < 2; axis++) {
    a.kernel[axis] = static_cast<int>(pool.kernel[axis]);
    a.stride[axis] = static_cast<int>(pool.stride[axis]);
    a.padding[axis] = static_cast<int>(pool.padding[axis]);
  }
  a.from = from;
  a.to = to;
  a.taps = static_cast<unsigned char*>(const_cast<void*>(taps));
  return a;
}

template <class T>
class MaxPoolOp : public Operation {
 public:
  explicit MaxPoolOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    OP_REQUIRES_OK(context, requireImages("x", x));
    Pool pool;
    OP_REQUIRES_OK(context, attributes_.poolOf({x.dim_size(1), x.dim_size(2), x.dim_size(3)}, &pool));
    const tensorflow::TensorShape shape({x.dim_size(0), pool.out.height, pool.out.width, pool.out.channels});
    Tensor *y, *taps;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &y));
    OP_REQUIRES_OK(context, context->allocate_output(1, shape, &taps));
    const PoolArguments arguments = poolArguments(x.dim_size(0), pool, bytesOf(x), bytesOf(y), bytesOf(taps));
    Launcher(context).launch("max-pool", named<T>("max_pool"), {ceilDivide(y->NumElements(), kThreads)}, kThreads,
                             arguments);
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
    Tensor* dx;
    OP_REQUIRES_OK(context, context->allocate_output(0, {dy.dim_size(0), pool.in.height, pool.in.width, pool.in.channels}, &dx));
    const PoolArguments arguments = poolArguments(dy.dim_size(0), pool, bytesOf(dy), bytesOf(dx), bytesOf(taps));
    Launcher(context).launch("max-pool", named<T>("max_pool_grad"), {ceilDivide(dx->NumElements(), kThreads)}, kThreads,
                             arguments);
  }

 private:
  PoolGradAttributes attributes_;
};

GNBENCH_CUDA_KERNELS("GnbenchMaxPool", MaxPoolOp);
GNBENCH_CUDA_KERNELS("GnbenchMaxPoolGrad", MaxPoolGradOp);

}  // namespace gnbench::cuda
