// GnbenchSoftmaxLoss, GnbenchGlobalAverage and its gradient: the net's end, where every tensor is tiny and what counts is
// the number of operations.
#pragma once
#include <cmath>
#include <vector>

#include "ops/image-ops.h"

namespace gnbench {

/**
 * The mean cross-entropy of softmax(logits), the number of images whose largest logit is not the label's, and the
 * loss's gradient. With `smoothing` ε the target is (1 - ε) · label + ε / classes.
 */
class SoftmaxLossOp : public tensorflow::OpKernel {
 public:
  explicit SoftmaxLossOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("smoothing", &smoothing_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &logits = context->input(0), &labels = context->input(1);
    OP_REQUIRES(context, logits.dims() == 2 && logits.NumElements() > 0,
                absl::InvalidArgumentError(
                    absl::StrCat("logits must be [images, classes], but their shape is ", logits.shape().DebugString())));
    const int64_t images = logits.dim_size(0), classes = logits.dim_size(1);
    OP_REQUIRES_OK(context, requireLength("labels", labels, images));
    const auto label = labels.flat<int32_t>();
    for (int64_t n = 0; n < images; n++) {
      OP_REQUIRES(context, label(n) >= 0 && label(n) < classes,
                  absl::InvalidArgumentError(absl::StrCat("label ", label(n), " of ", classes, " classes")));
    }
    Tensor *loss, *errors, *gradient;
    OP_REQUIRES_OK(context, context->allocate_output(0, {}, &loss));
    OP_REQUIRES_OK(context, context->allocate_output(1, {}, &errors));
    OP_REQUIRES_OK(context, context->allocate_output(2, logits.shape(), &gradient));
    std::vector<double> losses(images);
    std::vector<char> wrong(images);
    const int threads = threadsFor(context, images * classes * 64);
    parallel(context, threads, images, [&](int64_t n) {
      const float* row = logits.flat<float>().data() + n * classes;
      float* out = gradient->flat<float>().data() + n * classes;
      losses[n] = one(row, classes, label(n), 1.0 / images, out);
      const float* largest = std::max_element(row, row + classes);
      wrong[n] = !(largest - row == label(n) && *largest == *largest);
    });
    double total = 0;
    int64_t count = 0;
    for (int64_t n = 0; n < images; n++) {
      total += losses[n];
      count += wrong[n];
    }
    loss->scalar<float>()() = static_cast<float>(total / images);
    errors->scalar<float>()() = static_cast<float>(count);
  }

 private:
  /** One image: its loss, and `weight` times the gradient. */
  double one(const float* logits, int64_t classes, int32_t label, double weight, float* gradient) const {
    const double top = *std::max_element(logits, logits + classes);
    double sum = 0, mean = 0;
    for (int64_t k = 0; k < classes; k++) {
      sum += std::exp(logits[k] - top);
      mean += logits[k] / static_cast<double>(classes);
    }
    const double normalizer = top + std::log(sum), floor = smoothing_ / static_cast<double>(classes);
    for (int64_t k = 0; k < classes; k++) {
      const double target = floor + (k == label ? 1.0 - smoothing_ : 0.0);
      gradient[k] = static_cast<float>(weight * (std::exp(logits[k] - normalizer) - target));
    }
    return normalizer - (1.0 - smoothing_) * logits[label] - smoothing_ * mean;
  }

  float smoothing_ = 0;
};

/** Mean over all pixels: [images, height, width, channels] → [images, channels]; the result is float32. */
template <class T>
class GlobalAverageOp : public tensorflow::OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    OP_REQUIRES_OK(context, requireImages("x", x));
    const int64_t images = x.dim_size(0), pixels = x.dim_size(1) * x.dim_size(2), channels = x.dim_size(3);
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, channels}, &y));
    const char* from = bytesOf(x);
    float* to = y->flat<float>().data();
    const RowLoops& rows = loops().rows[std::is_same<T, float>::value ? kFloat32 : kBFloat16];
    const std::vector<float> zeros(channels);
    parallel(context, threadsFor(context, x.NumElements() * sizeof(T)), images, [&](int64_t n) {
      std::vector<double> sums(2 * channels);
      rows.sum(from + n * pixels * channels * sizeof(T), pixels, channels, zeros.data(),
               Sums{sums.data(), sums.data() + channels});
      for (int64_t c = 0; c < channels; c++) to[n * channels + c] = static_cast<float>(sums[c] / pixels);
    });
  }
};

template <class T>
class GlobalAverageGradOp : public tensorflow::OpKernel {
 public:
  explicit GlobalAverageGradOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("height", &height_));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    OP_REQUIRES(context, dy.dims() == 2 && height_ > 0 && width_ > 0,
                absl::InvalidArgumentError("dy must be [images, channels], height and width positive"));
    const int64_t images = dy.dim_size(0), channels = dy.dim_size(1), pixels = height_ * width_;
    Tensor* dx;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, height_, width_, channels}, &dx));
    T* to = dx->flat<T>().data();
    std::vector<T> row(channels);
    for (int64_t n = 0; n < images; n++) {
      for (int64_t c = 0; c < channels; c++)
        row[c] = static_cast<T>(dy.flat<float>()(n * channels + c) / static_cast<float>(pixels));
      for (int64_t p = 0; p < pixels; p++, to += channels)
        std::memcpy(static_cast<void*>(to), row.data(), channels * sizeof(T));
    }
  }

 private:
  int64_t height_ = 0, width_ = 0;
};

REGISTER_OP("GnbenchSoftmaxLoss")
    .Input("logits: float")
    .Input("labels: int32")
    .Output("loss: float")
    .Output("errors: float")
    .Output("dlogits: float")
    .Attr("smoothing: float = 0.0")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->Scalar());
      c->set_output(1, c->Scalar());
      c->set_output(2, c->input(0));
      return absl::OkStatus();
    });

REGISTER_OP("GnbenchGlobalAverage")
    .Input("x: T")
    .Output("y: float")
    .Attr("T: {float, bfloat16}")
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle x;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &x));
      c->set_output(0, c->Matrix(c->Dim(x, 0), c->Dim(x, 3)));
      return absl::OkStatus();
    });

REGISTER_OP("GnbenchGlobalAverageGrad")
    .Input("dy: float")
    .Output("dx: T")
    .Attr("T: {float, bfloat16}")
    .Attr("height: int >= 1")
    .Attr("width: int >= 1")
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle dy;
      std::vector<DimensionHandle> sizes;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &dy));
      TF_RETURN_IF_ERROR(attributeDimensions(c, {"height", "width"}, &sizes));
      c->set_output(0, c->MakeShape({c->Dim(dy, 0), sizes[0], sizes[1], c->Dim(dy, 1)}));
      return absl::OkStatus();
    });
GNBENCH_REGISTER_KERNEL("GnbenchSoftmaxLoss", SoftmaxLossOp);
GNBENCH_REGISTER_KERNELS("GnbenchGlobalAverage", GlobalAverageOp);
GNBENCH_REGISTER_KERNELS("GnbenchGlobalAverageGrad", GlobalAverageGradOp);

}  // namespace gnbench
