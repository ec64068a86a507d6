// The tables that an operation lays into the GPU's memory for its kernel: the variables, and the pieces of them that blocks
// take. They are copied only when they are not those of the step before: TensorFlow mostly gives a tensor the same memory.
#pragma once
#include <mutex>
#include <vector>

#include "cuda/device/update-arguments.h"
#include "ops/operation.h"

namespace gnbench::cuda {

/** Adds a variable's pieces: small enough to share the work evenly. */
inline void addPieces(int variable, int64_t count, std::vector<Piece>* pieces) {
  constexpr int64_t kPiece = 4096;
  for (int64_t begin = 0; begin < count; begin += kPiece)
    pieces->push_back({variable, static_cast<int>(std::min(kPiece, count - begin)), begin});
}

class DeviceTable {
 public:
  /** Calls launch(variables, pieces) with the tables' addresses on the GPU. */
  template <class Variable, class Launch>
  absl::Status with(OpKernelContext* context, Launcher& launcher, const std::vector<Variable>& variables,
                    const std::vector<Piece>& pieces, const Launch& launch) {
    static_assert(sizeof(Variable) % 8 == 0, "the pieces begin behind it");
    const size_t size = variables.size() * sizeof(Variable);
    std::vector<char> bytes(size + pieces.size() * sizeof(Piece));
    std::memcpy(bytes.data(), variables.data(), size);
    std::memcpy(bytes.data() + size, pieces.data(), bytes.size() - size);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (bytes != uploaded_) {
      const tensorflow::TensorShape shape({static_cast<int64_t>(bytes.size())});
      TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_UINT8, shape, &memory_));
      uploaded_.clear();
      launcher.upload(memory_.data(), bytes.data(), bytes.size());
      uploaded_ = std::move(bytes);
    }
    const char* at = static_cast<const char*>(memory_.data());
    launch(reinterpret_cast<const Variable*>(at), reinterpret_cast<const Piece*>(at + size));
    return absl::OkStatus();
  }

 private:
  std::mutex mutex_;
  std::vector<char> uploaded_;
  Tensor memory_;
};

}  // namespace gnbench::cuda
