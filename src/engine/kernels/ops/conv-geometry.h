// Shapes of convolutions: kernels of 1, 3, 5 and 7, stride 1 or 2, with PyTorch's symmetric padding (kernel / 2).
#pragma once
#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

/** Shapes of one convolution, checked. */
struct ConvGeometry {
  int64_t images;
  Plane x, y;
  int64_t kernel, stride;
  bool winograd;

  static int64_t outSize(int64_t size, int64_t kernel, int64_t stride) {
    return (size + kernel / 2 * 2 - kernel) / stride + 1;
  }

  absl::Status check() const {
    if (kernel < 1 || kernel > 7 || kernel % 2 == 0 || (stride != 1 && stride != 2))
      return absl::InvalidArgumentError(
          absl::StrCat("kernel ", kernel, " with stride ", stride, ": 1, 3, 5 or 7 with 1 or 2"));
    if (y.channels < 1 || y.channels % 16 != 0 || x.channels < 1)
      return absl::InvalidArgumentError(absl::StrCat(y.channels, " output channels are not a multiple of 16"));
    if (x.height < 1 || x.width < 1 || y.height != outSize(x.height, kernel, stride) ||
        y.width != outSize(x.width, kernel, stride))
      return absl::InvalidArgumentError(absl::StrCat("an image of ", x.height, " x ", x.width,
                                                     " pixels does not become one of ", y.height, " x ", y.width));
    // The tile unit's loops count the values of an image in 32 bits.
    if (std::max(x.height * x.width * x.channels, y.height * y.width * y.channels) >> 31 != 0)
      return absl::InvalidArgumentError("an image has 2^31 values or more");
    return absl::OkStatus();
  }

  ConvPass forward() const { return {x, y, kernel, stride, false, x.channels * y.channels, y.channels, loops().lanes}; }
  ConvPass backward() const {
    const int64_t lanes = loops().lanes;
    return {y, x, kernel, stride, true, y.channels * lanes, lanes, kernel * kernel * y.channels * lanes};
  }
  int64_t weights() const { return kernel * kernel * x.channels * y.channels; }
  int64_t multiplications() const { return images * y.height * y.width * weights(); }
};

/**
 * The attributes of all convolutions. `winograd` allows Winograd's filtering where it can be used: faster (a step
 * some 1.2 times, results/bench/convolutions.csv), but its rounding errors are two to three times those of the direct way,
 * which a deep net with BN may amplify.
 */
struct ConvAttributes {
  int64_t stride = 1;
  bool winograd = false;

  void read(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride));
    OP_REQUIRES_OK(context, context->GetAttr("winograd", &winograd));
  }
};

inline absl::Status requireRank4(const char* name, const Tensor& tensor) {
  if (tensor.dims() == 4) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " must have four dimensions, not ", tensor.dims()));
}

inline Plane planeOf(const Tensor& tensor) { return {tensor.dim_size(1), tensor.dim_size(2), tensor.dim_size(3)}; }

/** Some 5 µs of arithmetic pay for waking a thread. */
inline int convThreads(OpKernelContext* context, int64_t multiplications) {
  return threadsFor(context, multiplications / 500000 * kWorthAThread);
}

/** True if Winograd's filtering is allowed for this pass, can compute it, and gains more than transforming the weights costs. */
inline bool canWinograd(const ConvGeometry& geometry, const ConvPass& pass) {
  constexpr int64_t kEnoughTiles = 24, kMaxWeights = 128 * 128;  // beyond, they leave the second-level cache
  const Plane& plane = pass.out;
  return geometry.winograd && pass.kernel == 3 && pass.stride == 1 && plane.height % 2 == 0 && plane.width % 2 == 0 &&
         pass.in.channels % loops().lanes == 0 && pass.in.channels * pass.out.channels <= kMaxWeights &&
         geometry.images * plane.height * plane.width / 4 >= kEnoughTiles;
}

inline const uint16_t* halves(const Tensor& tensor) { return reinterpret_cast<const uint16_t*>(bytesOf(tensor)); }

inline Format formatOf(const Tensor& tensor) { return tensor.dtype() == tensorflow::DT_FLOAT ? kFloat32 : kBFloat16; }
inline int64_t bytesPerValue(const Tensor& tensor) { return tensorflow::DataTypeSize(tensor.dtype()); }

constexpr int64_t kConversionBytes = sizeof(float) + sizeof(uint16_t);

/** A float32 copy of a bfloat16 tensor, for processors that cannot multiply those. */
inline absl::Status widened(OpKernelContext* context, const Tensor& tensor, Tensor* out) {
  TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_FLOAT, tensor.shape(), out));
  const uint16_t* from = halves(tensor);
  float* to = out->flat<float>().data();
  parallelElements(context, tensor.NumElements(), kConversionBytes,
                   [&](int64_t first, int64_t count) { loops().widen(count, from + first, to + first); });
  return absl::OkStatus();
}

/** Rounds float32 values to a bfloat16 tensor of as many. */
inline void narrowInto(OpKernelContext* context, const float* from, Tensor* out) {
  uint16_t* to = reinterpret_cast<uint16_t*>(bytesOf(out));
  parallelElements(context, out->NumElements(), kConversionBytes,
                   [&](int64_t first, int64_t count) { loops().narrow(count, from + first, to + first); });
}

/** The weights rounded to bfloat16, as a unit that multiplies bfloat16 sees them, and widened to float32 again. */
inline absl::Status roundedWeights(OpKernelContext* context, const ConvGeometry& geometry, const float* w, Tensor* out) {
  Tensor rounded;
  TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_BFLOAT16, {geometry.weights()}, &rounded));
  narrowInto(context, w, &rounded);
  return widened(context, rounded, out);
}

}  // namespace gnbench
