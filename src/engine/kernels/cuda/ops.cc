// The operations that have kernels for a GPU: a Node addon, loaded after the one that defines the operations (../ops.cc).
// With GNBENCH_EMULATED, for tests, the same kernels for the CPU.
#include <node_api.h>

#ifdef GNBENCH_EMULATED
#include "cuda/testing/emulated-launcher.h"
#else
#include "cuda/launcher.h"
#endif

/** A kernel template for both values of the attribute T. */
#define GNBENCH_CUDA_KERNELS(name, kernel)                                                        \
  REGISTER_KERNEL_BUILDER(GNBENCH_CUDA_KERNEL(name).TypeConstraint<float>("T"), kernel<float>); \
  REGISTER_KERNEL_BUILDER(GNBENCH_CUDA_KERNEL(name).TypeConstraint<tensorflow::bfloat16>("T"), kernel<tensorflow::bfloat16>)

#include "cuda/affine-relu-op.h"
#include "cuda/head-ops.h"
#include "cuda/image-ops.h"
#include "cuda/normalize-ops.h"
#include "cuda/pool-ops.h"
#include "cuda/rectify-ops.h"
#include "cuda/update-ops.h"

#ifdef GNBENCH_EMULATED
/** launches(): how many kernels were launched. */
static napi_value Launches(napi_env env, napi_callback_info) {
  napi_value number;
  napi_create_int32(env, gnbench::cuda::Launcher::launches(), &number);
  return number;
}

NAPI_MODULE_INIT() {
  napi_value launches;
  napi_create_function(env, "launches", NAPI_AUTO_LENGTH, Launches, nullptr, &launches);
  napi_set_named_property(env, exports, "launches", launches);
  return exports;
}
#else
#include "cuda/exports.h"
#endif
