// Tensors in a GPU's memory: their addresses, and working memory.
#pragma once
#include "ops/operation.h"
#include "tensorflow/core/framework/tensor.h"

namespace gnbench::cuda {

inline const float* floats(const Tensor& tensor) { return tensor.flat<float>().data(); }
inline float* floats(Tensor* tensor) { return tensor->flat<float>().data(); }

/** Threads of a block where nothing speaks for another number. */
constexpr int kThreads = 256;

/** The kernel's name for values of type T. */
template <class T>
std::string named(const char* kernel) {
  return std::string(kernel) + (std::is_same<T, float>::value ? "_float" : "_bfloat16");
}

/**
 * Working memory of one operation, from TensorFlow's allocator: given back at once, since what is launched later on the same
 * stream waits for what was launched before.
 */
class Scratch {
 public:
  absl::Status take(OpKernelContext* context, int64_t count) {
    return context->allocate_temp(tensorflow::DT_FLOAT, tensorflow::TensorShape({count}), &memory_);
  }
  float* floats() { return memory_.flat<float>().data(); }

 private:
  Tensor memory_;
};

}  // namespace gnbench::cuda
