// Registration of operations: shape functions, and one kernel for each storage format.
#pragma once
#include "loops.h"
#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace gnbench {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

inline absl::Status noOutputs(InferenceContext*) { return absl::OkStatus(); }

/** Sizes that are integer attributes. */
inline absl::Status attributeDimensions(InferenceContext* c, std::initializer_list<const char*> names,
                                        std::vector<DimensionHandle>* out) {
  for (const char* name : names) {
    int64_t size;
    TF_RETURN_IF_ERROR(c->GetAttr(name, &size));
    out->push_back(c->MakeDim(size));
  }
  return absl::OkStatus();
}

#define GNBENCH_REGISTER_KERNEL(name, kernel) \
  REGISTER_KERNEL_BUILDER(Name(name).Device(tensorflow::DEVICE_CPU), kernel)

/** A kernel template for both values of the attribute T. */
#define GNBENCH_REGISTER_KERNELS(name, kernel)                                                                   \
  REGISTER_KERNEL_BUILDER(Name(name).Device(tensorflow::DEVICE_CPU).TypeConstraint<float>("T"), kernel<float>); \
  REGISTER_KERNEL_BUILDER(Name(name).Device(tensorflow::DEVICE_CPU).TypeConstraint<tensorflow::bfloat16>("T"),  \
                          kernel<tensorflow::bfloat16>)

}  // namespace gnbench
