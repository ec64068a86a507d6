// GnbenchSmoothL1, and GnbenchChosenCrossEntropy with its gradient: a detector's losses, each with its derivative in the
// same pass. Of a mask head's maps only the channel of the true class is judged.
#pragma once
#include <cstring>

#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

class SmoothL1Op : public Operation {
 public:
  explicit SmoothL1Op(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("beta", &beta_));
    OP_REQUIRES(context, beta_ >= 0, absl::InvalidArgumentError("beta must not be negative"));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &target = context->input(1);
    OP_REQUIRES_OK(context, requireSameShape("target", target, x));
    Tensor *loss, *slope;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &loss));
    OP_REQUIRES_OK(context, context->allocate_output(1, x.shape(), &slope));
    const float *predicted = x.flat<float>().data(), *wanted = target.flat<float>().data();
    float *losses = loss->flat<float>().data(), *slopes = slope->flat<float>().data();
    parallelElements(context, x.NumElements(), 16, [&](int64_t first, int64_t count) {
      loops().smoothL1(count, predicted + first, wanted + first, beta_, losses + first, slopes + first);
    });
  }

 private:
  float beta_ = 0;
};

/** The shape of maps [rows, height, width, channels], and the channel of each row. */
struct ChosenChannels {
  int64_t rows, pixels, channels;
  const int32_t* channel;

  absl::Status read(const tensorflow::TensorShape& maps, const Tensor& chosen) {
    if (maps.dims() != 4) return absl::InvalidArgumentError("maps must be [rows, height, width, channels]");
    rows = maps.dim_size(0);
    pixels = maps.dim_size(1) * maps.dim_size(2);
    channels = maps.dim_size(3);
    TF_RETURN_IF_ERROR(requireLength("channel", chosen, rows));
    channel = chosen.flat<int32_t>().data();
    for (int64_t i = 0; i < rows; i++) {
      if (channel[i] < 0 || channel[i] >= channels) {
        return absl::InvalidArgumentError(absl::StrCat("channel ", channel[i], " of ", channels, " in row ", i));
      }
    }
    return absl::OkStatus();
  }
};

class ChosenCrossEntropyOp : public Operation {
 public:
  using Operation::Operation;

  void compute(OpKernelContext* context) override {
    const Tensor &maps = context->input(0), &target = context->input(2);
    ChosenChannels chosen;
    OP_REQUIRES_OK(context, chosen.read(maps.shape(), context->input(1)));
    const int64_t rows = chosen.rows, pixels = chosen.pixels, channels = chosen.channels;
    OP_REQUIRES_OK(context, requireLength("targets", target, rows * pixels));
    Tensor *loss, *slope;
    const tensorflow::TensorShape shape{rows, maps.dim_size(1), maps.dim_size(2)};
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &loss));
    OP_REQUIRES_OK(context, context->allocate_output(1, shape, &slope));
    const float *logits = maps.flat<float>().data(), *wanted = target.flat<float>().data();
    float *losses = loss->flat<float>().data(), *slopes = slope->flat<float>().data();
    // A pixel's channels lie in one line of the cache or more, and one of them is read.
    parallel(context, threadsFor(context, rows * pixels * 128), rows, [&](int64_t row) {
      const int64_t at = row * pixels;
      loops().crossEntropy(pixels, logits + at * channels + chosen.channel[row], channels, wanted + at, losses + at, slopes + at);
    });
  }
};

/** slope · dy in the chosen channels, 0 in the others. */
class ChosenCrossEntropyGradOp : public Operation {
 public:
  explicit ChosenCrossEntropyGradOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("channels", &channels_));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &dy = context->input(0), &slope = context->input(1);
    OP_REQUIRES(context, dy.dims() == 3, absl::InvalidArgumentError("dy must be [rows, height, width]"));
    OP_REQUIRES_OK(context, requireSameShape("slope", slope, dy));
    const tensorflow::TensorShape shape{dy.dim_size(0), dy.dim_size(1), dy.dim_size(2), channels_};
    ChosenChannels chosen;
    OP_REQUIRES_OK(context, chosen.read(shape, context->input(2)));
    Tensor* dmaps;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &dmaps));
    const float *gradient = dy.flat<float>().data(), *slopes = slope.flat<float>().data();
    float* out = dmaps->flat<float>().data();
    const int64_t row = chosen.pixels * channels_;
    parallel(context, threadsFor(context, dmaps->NumElements() * 4), chosen.rows, [&](int64_t i) {
      float* own = out + i * row;
      std::memset(own, 0, row * sizeof(float));
      for (int64_t pixel = 0; pixel < chosen.pixels; pixel++) {
        const int64_t at = i * chosen.pixels + pixel;
        own[pixel * channels_ + chosen.channel[i]] = slopes[at] * gradient[at];
      }
    });
  }

 private:
  int64_t channels_ = 0;
};

REGISTER_OP("GnbenchSmoothL1")
    .Input("x: float")
    .Input("target: float")
    .Output("loss: float")
    .Output("slope: float")
    .Attr("beta: float")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      c->set_output(1, c->input(0));
      return absl::OkStatus();
    });
REGISTER_OP("GnbenchChosenCrossEntropy")
    .Input("maps: float")
    .Input("channel: int32")
    .Input("targets: float")
    .Output("loss: float")
    .Output("slope: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);
REGISTER_OP("GnbenchChosenCrossEntropyGrad")
    .Input("dy: float")
    .Input("slope: float")
    .Input("channel: int32")
    .Output("dmaps: float")
    .Attr("channels: int >= 1")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);
GNBENCH_REGISTER_KERNEL("GnbenchSmoothL1", SmoothL1Op);
GNBENCH_REGISTER_KERNEL("GnbenchChosenCrossEntropy", ChosenCrossEntropyOp);
GNBENCH_REGISTER_KERNEL("GnbenchChosenCrossEntropyGrad", ChosenCrossEntropyGradOp);

}  // namespace gnbench
