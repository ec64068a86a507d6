// The base of all operations.
#pragma once
#include <exception>
#include <new>

#include "ops/operation-times.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/platform/denormal.h"

namespace gnbench {

using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

/**
 * An operation whose failures are TensorFlow's errors, on whichever thread they happen, and whose arithmetic takes
 * denormal numbers as 0 on all of its threads: TensorFlow's pool is set so, but the thread that calls an operation need
 * not be of it, and a share of the work is that thread's.
 */
class Operation : public tensorflow::OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) final {
    const tensorflow::port::ScopedFlushDenormal flush;
    try {
      OperationTimes& times = OperationTimes::get();
      if (times.wanted()) {
        times.measure(name(), [&] { compute(context); });
      } else {
        compute(context);
      }
    } catch (const std::bad_alloc&) {
      context->CtxFailure(
          absl::ResourceExhaustedError(absl::StrCat(type_string(), " ", name(), " needs more working memory than there is")));
    } catch (const std::exception& error) {
      context->CtxFailure(absl::InternalError(absl::StrCat(type_string(), " ", name(), ": ", error.what())));
    }
  }

 protected:
  virtual void compute(OpKernelContext* context) = 0;
};

}  // namespace gnbench
