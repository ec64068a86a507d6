// GnbenchImages, GnbenchSubsample and its gradient: images at the net's entrance and on its identity shortcuts, one
// operation each where TensorFlow takes two to four.
#pragma once
#include <cstring>
#include <vector>

#include "ops/inputs/images.h"
#include "ops/registration.h"

namespace gnbench {

/** y = (pixel - mean) · scale per channel; pixels are bytes. */
template <class T>
class ImagesOp : public Operation {
 public:
  using Operation::Operation;

  void compute(OpKernelContext* context) override {
    const Tensor &images = context->input(0), &mean = context->input(1), &scale = context->input(2);
    OP_REQUIRES_OK(context, requireStandardizable(images, mean, scale));
    const int64_t channels = images.dim_size(3), count = images.NumElements();
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, images.shape(), &y));
    const int64_t period = channels * 16;  // whole vectors of pixels, whatever the number of channels
    std::vector<float> pattern(2 * period);
    for (int64_t i = 0; i < period; i++) {
      pattern[i] = mean.flat<float>()(i % channels);
      pattern[period + i] = scale.flat<float>()(i % channels);
    }
    const uint8_t* from = images.flat<uint8_t>().data();
    char* to = bytesOf(y);
    const int64_t chunk = 64 * period;
    parallel(context, threadsFor(context, count * 5), (count + chunk - 1) / chunk, [&](int64_t task) {
      const int64_t start = task * chunk;
      loops().images[std::is_same<T, float>::value ? kFloat32 : kBFloat16](
          std::min(chunk, count - start), from + start, period, pattern.data(), pattern.data() + period,
          to + start * sizeof(T));
    });
  }
};

/** Every stride-th pixel of every stride-th row, and channels of zeros behind (He et al. 2016, shortcut A). */
template <class T>
class SubsampleOp : public Operation {
 public:
  explicit SubsampleOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    tensorflow::TensorShape shape;
    OP_REQUIRES_OK(context, attributes_.outputShape(x, &shape));
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &y));
    const int64_t stride = attributes_.stride, channels = attributes_.channels;
    const int64_t width = x.dim_size(2), kept = x.dim_size(3), outHeight = shape.dim_size(1), outWidth = shape.dim_size(2);
    const T* from = x.flat<T>().data();
    const int64_t size = outHeight * outWidth * channels;
    parallel(context, threadsFor(context, 2 * y->NumElements() * sizeof(T)), x.dim_size(0), [&](int64_t n) {
      T* to = y->flat<T>().data() + n * size;
      for (int64_t h = 0; h < outHeight; h++) {
        const T* row = from + (n * x.dim_size(1) + h * stride) * width * kept;
        for (int64_t w = 0; w < outWidth; w++, to += channels) {
          std::memcpy(static_cast<void*>(to), row + w * stride * kept, kept * sizeof(T));
          std::memset(static_cast<void*>(to + kept), 0, (channels - kept) * sizeof(T));
        }
      }
    });
  }

 private:
  SubsampleAttributes attributes_;
};

template <class T>
class SubsampleGradOp : public Operation {
 public:
  explicit SubsampleGradOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    tensorflow::TensorShape shape;
    OP_REQUIRES_OK(context, attributes_.outputShape(dy, &shape));
    Tensor* dx;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &dx));
    const int64_t stride = attributes_.stride, width = attributes_.width, channels = attributes_.channels;
    const int64_t outHeight = dy.dim_size(1), outWidth = dy.dim_size(2), padded = dy.dim_size(3);
    const T* from = dy.flat<T>().data();
    T* all = dx->flat<T>().data();
    const int64_t size = attributes_.height * width * channels;
    parallel(context, threadsFor(context, 2 * dx->NumElements() * sizeof(T)), dy.dim_size(0), [&](int64_t n) {
      T* to = all + n * size;
      std::memset(static_cast<void*>(to), 0, size * sizeof(T));
      for (int64_t h = 0; h < outHeight; h++) {
        const T* pixel = from + (n * outHeight + h) * outWidth * padded;
        T* row = to + h * stride * width * channels;
        for (int64_t w = 0; w < outWidth; w++, pixel += padded)
          std::memcpy(static_cast<void*>(row + w * stride * channels), pixel, channels * sizeof(T));
      }
    });
  }

 private:
  SubsampleGradAttributes attributes_;
};

REGISTER_OP("GnbenchImages")
    .Input("images: uint8")
    .Input("mean: float")
    .Input("scale: float")
    .Output("y: T")
    .Attr("T: {float, bfloat16}")
    .SetShapeFn(tensorflow::shape_inference::UnchangedShape);

REGISTER_OP("GnbenchSubsample")
    .Input("x: T")
    .Output("y: T")
    .Attr("T: {float, bfloat16}")
    .Attr("stride: int >= 1")
    .Attr("channels: int >= 1")
    .SetShapeFn([](InferenceContext* c) {
      int64_t stride, channels;
      TF_RETURN_IF_ERROR(c->GetAttr("stride", &stride));
      TF_RETURN_IF_ERROR(c->GetAttr("channels", &channels));
      ShapeHandle x;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &x));
      const auto size = [&](int axis) {
        if (!c->ValueKnown(c->Dim(x, axis))) return c->UnknownDim();
        return c->MakeDim((c->Value(c->Dim(x, axis)) + stride - 1) / stride);
      };
      c->set_output(0, c->MakeShape({c->Dim(x, 0), size(1), size(2), c->MakeDim(channels)}));
      return absl::OkStatus();
    });

REGISTER_OP("GnbenchSubsampleGrad")
    .Input("dy: T")
    .Output("dx: T")
    .Attr("T: {float, bfloat16}")
    .Attr("stride: int >= 1")
    .Attr("height: int >= 1")
    .Attr("width: int >= 1")
    .Attr("channels: int >= 1")
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle dy;
      std::vector<DimensionHandle> sizes;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &dy));
      TF_RETURN_IF_ERROR(attributeDimensions(c, {"height", "width", "channels"}, &sizes));
      c->set_output(0, c->MakeShape({c->Dim(dy, 0), sizes[0], sizes[1], sizes[2]}));
      return absl::OkStatus();
    });
GNBENCH_REGISTER_KERNELS("GnbenchImages", ImagesOp);
GNBENCH_REGISTER_KERNELS("GnbenchSubsample", SubsampleOp);
GNBENCH_REGISTER_KERNELS("GnbenchSubsampleGrad", SubsampleGradOp);

}  // namespace gnbench
