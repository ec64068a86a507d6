// How an activation [images, …spatial, channels] falls into sets of images, rows and groups of channels.
#pragma once
#include "loops.h"
#include "ops/operation.h"
#include "parallel.h"
#include "tensorflow/core/framework/tensor.h"

namespace gnbench {

/** The passes over rows for values of type T, float or bfloat16. */
template <class T>
const RowLoops& rowLoops() {
  return loops().rows[std::is_same<T, float>::value ? kFloat32 : kBFloat16];
}

/** Rows of one chunk: about 64 KB of float32. Fixed, so that the order of summation is. */
inline int64_t chunkRows(int64_t channels) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, channels)); }

/** One set is the images that share statistics; its rows lie together in memory, in `chunks` pieces. */
struct Geometry {
  int64_t sets;
  Group group;
  int64_t groups;
  int64_t chunks;
  int64_t chunk;  // rows of all chunks but the last

  int64_t rowsOf(int64_t index) const { return std::min(chunk, group.rows - index * chunk); }
};

inline absl::Status requireSameShape(const char* name, const Tensor& tensor, const Tensor& x) {
  if (tensor.shape() == x.shape()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has shape ", tensor.shape().DebugString(), ", x has ", x.shape().DebugString()));
}

inline absl::Status requireLength(const char* name, const Tensor& tensor, int64_t length) {
  if (tensor.NumElements() == length) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has ", tensor.NumElements(), " values where ", length, " are needed"));
}

inline const char* bytesOf(const Tensor& tensor) { return tensor.tensor_data().data(); }
inline char* bytesOf(Tensor* tensor) { return const_cast<char*>(tensor->tensor_data().data()); }

}  // namespace gnbench
