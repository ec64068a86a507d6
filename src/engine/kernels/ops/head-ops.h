// GnbenchSoftmaxLoss, GnbenchGlobalAverage and its gradient: the net's end, where every tensor is tiny and what counts is
// the number of operations.
#pragma once
#include <cmath>
#include <cstring>
#include <vector>

#include "ops/inputs/head.h"
#include "ops/registration.h"
#include "thread-memory.h"

namespace gnbench {

/**
 * The mean cross-entropy of softmax(logits), the number of images whose largest logit is not the label's, and the
 * loss's gradient.
 */
class SoftmaxLossOp : public Operation {
 public:
  using Operation::Operation;

  void compute(OpKernelContext* context) override {
    const Tensor &logits = context->input(0), &labels = context->input(1);
    OP_REQUIRES_OK(context, requireLogits(logits, labels));
    const int64_t images = logits.dim_size(0), classes = logits.dim_size(1);
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
  static double one(const float* logits, int64_t classes, int32_t label, double weight, float* gradient) {
    const double top = *std::max_element(logits, logits + classes);
    double sum = 0;
    for (int64_t k = 0; k < classes; k++) sum += std::exp(logits[k] - top);
    const double normalizer = top + std::log(sum);
    for (int64_t k = 0; k < classes; k++)
      gradient[k] = static_cast<float>(weight * (std::exp(logits[k] - normalizer) - (k == label ? 1.0 : 0.0)));
    return normalizer - logits[label];
  }
};

/** Mean over all pixels: [images, height, width, channels] → [images, channels]; the result is float32. */
template <class T>
class GlobalAverageOp : public Operation {
 public:
  using Operation::Operation;

  void compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    OP_REQUIRES_OK(context, requireImages("x", x));
    const int64_t images = x.dim_size(0), pixels = x.dim_size(1) * x.dim_size(2), channels = x.dim_size(3);
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, {images, channels}, &y));
    const char* from = bytesOf(x);
    float* to = y->flat<float>().data();
    const RowLoops& rows = rowLoops<T>();
    const std::vector<float> zeros(channels);
    const int64_t size = 2 * channels;
    parallel(context, threadsFor(context, x.NumElements() * sizeof(T)), images, [&](int64_t n) {
      double* sums = ThreadMemory::get<kTaskMemory>().template reserve<double>(size);
      std::fill(sums, sums + size, 0.0);
      rows.sum(from + n * pixels * channels * sizeof(T), pixels, channels, zeros.data(), Sums{sums, sums + channels});
      for (int64_t c = 0; c < channels; c++) to[n * channels + c] = static_cast<float>(sums[c] / pixels);
    });
  }
};

template <class T>
class GlobalAverageGradOp : public Operation {
 public:
  explicit GlobalAverageGradOp(OpKernelConstruction* context) : Operation(context) { sides_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    tensorflow::TensorShape shape;
    OP_REQUIRES_OK(context, sides_.outputShape(dy, &shape));
    const int64_t images = dy.dim_size(0), channels = dy.dim_size(1), pixels = sides_.pixels();
    Tensor* dx;
    OP_REQUIRES_OK(context, context->allocate_output(0, shape, &dx));
    T* all = dx->flat<T>().data();
    parallel(context, threadsFor(context, dx->NumElements() * sizeof(T)), images, [&](int64_t n) {
      T* first = all + n * pixels * channels;
      for (int64_t c = 0; c < channels; c++)
        first[c] = static_cast<T>(dy.flat<float>()(n * channels + c) / static_cast<float>(pixels));
      for (int64_t p = 1; p < pixels; p++)
        std::memcpy(static_cast<void*>(first + p * channels), first, channels * sizeof(T));
    });
  }

 private:
  AveragedSides sides_;
};

REGISTER_OP("GnbenchSoftmaxLoss")
    .Input("logits: float")
    .Input("labels: int32")
    .Output("loss: float")
    .Output("errors: float")
    .Output("dlogits: float")
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
