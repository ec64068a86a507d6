// Launches kernels on the stream that TensorFlow computes an operation on. TensorFlow has made the GPU's context current
// on the thread that computes.
#pragma once
#include "cuda/driver.h"
#include "ops/operation.h"
#include "xla/stream_executor/stream.h"

namespace gnbench::cuda {

#define GNBENCH_CUDA_KERNEL(name) Name(name).Device(tensorflow::DEVICE_GPU)

class Launcher {
 public:
  explicit Launcher(OpKernelContext* context)
      : stream_(context->op_device_context()->stream()->platform_specific_handle().stream) {}

  /** Launches `kernel` of device/`file`.cu. */
  template <class Arguments>
  void launch(const char* file, const std::string& kernel, Grid grid, int threads, Arguments arguments) {
    Driver::get().launch(file, kernel, grid, threads, &arguments, stream_);
  }

  void upload(void* to, const void* from, size_t bytes) { Driver::get().upload(to, from, bytes, stream_); }

 private:
  Driver::Stream stream_;
};

}  // namespace gnbench::cuda
