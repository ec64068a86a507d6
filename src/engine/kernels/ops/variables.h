// Variables that one operation updates together.
#pragma once
#include <algorithm>
#include <functional>
#include <vector>

#include "ops/operation.h"
#include "parallel.h"
#include "tensorflow/core/framework/resource_mgr.h"
#include "tensorflow/core/framework/resource_var.h"

namespace gnbench {

using tensorflow::Var;

/**
 * Holds float32 variables and their locks, taken in the order of their addresses (TensorFlow's own rule) and released
 * at the end. A value that somebody still reads is not written over: the new one then goes to new memory.
 */
class LockedVariables {
 public:
  LockedVariables() = default;
  LockedVariables(const LockedVariables&) = delete;
  ~LockedVariables() {
    for (auto* lock : locks_) lock->unlock();
  }

  absl::Status take(OpKernelContext* context, int firstInput, int count) {
    variables_.resize(count);
    for (int i = 0; i < count; i++) {
      absl::Status status =
          tensorflow::LookupResource(context, tensorflow::HandleFromInput(context, firstInput + i), &variables_[i]);
      if (!status.ok()) return status;
    }
    for (auto& variable : variables_) locks_.push_back(variable->mu());
    std::sort(locks_.begin(), locks_.end(), std::less<>());
    const bool twice = std::adjacent_find(locks_.begin(), locks_.end()) != locks_.end();
    if (twice) {
      locks_.clear();
      return absl::InvalidArgumentError("a variable is given twice");
    }
    for (auto* lock : locks_) lock->lock();
    for (int i = 0; i < count; i++) {
      if (!variables_[i]->is_initialized || variables_[i]->tensor()->dtype() != tensorflow::DT_FLOAT) {
        return absl::FailedPreconditionError(absl::StrCat("variable ", i, " is not an initialized float32 one"));
      }
    }
    return absl::OkStatus();
  }

  const Tensor& value(int i) const { return *variables_[i]->tensor(); }

  /** Gives the memory that the new value is written to: the variable's own, or new memory that replaces it on `commit`. */
  absl::Status target(OpKernelContext* context, int i, Tensor* out) {
    Tensor* tensor = variables_[i]->tensor();
    if (variables_[i]->copy_on_read_mode.load() || tensor->RefCountIsOne()) {
      *out = *tensor;
      return absl::OkStatus();
    }
    tensorflow::AllocatorAttributes attributes;
    attributes.set_gpu_compatible(true);
    attributes.set_nic_compatible(true);
    return context->allocate_temp(tensor->dtype(), tensor->shape(), out, attributes);
  }
  void commit(int i, const Tensor& target) { *variables_[i]->tensor() = target; }

 private:
  std::vector<tensorflow::core::RefCountPtr<Var>> variables_;
  std::vector<decltype(std::declval<Var&>().mu())> locks_;
};

}  // namespace gnbench
