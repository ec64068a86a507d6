// Names, types and shapes of the operations, and the Node addon around them: loaded with process.dlopen after the engine,
// it registers them and does nothing else. One translation unit, as TensorFlow's headers take ten seconds to compile.
#include <node_api.h>

#include "affine-relu-op.h"
#include "conv-ops.h"
#include "normalize-grad-op.h"
#include "normalize-op.h"
#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "update-ops.h"

namespace gnbench {

using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

/** mean and rstd have images / images_per_group × channels / channels_per_group values. */
absl::Status statisticsShape(InferenceContext* c, ShapeHandle x, ShapeHandle* out) {
  int64_t images, channels;
  TF_RETURN_IF_ERROR(c->GetAttr("images_per_group", &images));
  TF_RETURN_IF_ERROR(c->GetAttr("channels_per_group", &channels));
  if (!c->RankKnown(x) || !c->ValueKnown(c->Dim(x, 0)) || !c->ValueKnown(c->Dim(x, -1))) {
    *out = c->Vector(InferenceContext::kUnknownDim);
  } else {
    *out = c->Vector(c->Value(c->Dim(x, 0)) / images * (c->Value(c->Dim(x, -1)) / channels));
  }
  return absl::OkStatus();
}

absl::Status noOutputs(InferenceContext*) { return absl::OkStatus(); }

REGISTER_OP("GnbenchNormalize")
    .Input("x: T")
    .Input("residual: T")
    .Input("gamma: float")
    .Input("beta: float")
    .Output("y: T")
    .Output("mean: float")
    .Output("rstd: float")
    .Output("variance: float")
    .Attr("T: {float, bfloat16}")
    .Attr("images_per_group: int >= 1")
    .Attr("channels_per_group: int >= 1")
    .Attr("epsilon: float")
    .Attr("relu: bool")
    .Attr("has_residual: bool")
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle x, statistics;
      TF_RETURN_IF_ERROR(c->WithRankAtLeast(c->input(0), 2, &x));
      TF_RETURN_IF_ERROR(statisticsShape(c, x, &statistics));
      c->set_output(0, x);
      c->set_output(1, statistics);
      c->set_output(2, statistics);
      c->set_output(3, statistics);
      return absl::OkStatus();
    });

REGISTER_OP("GnbenchNormalizeGrad")
    .Input("dy: T")
    .Input("x: T")
    .Input("y: T")
    .Input("gamma: float")
    .Input("mean: float")
    .Input("rstd: float")
    .Output("dx: T")
    .Output("dgamma: float")
    .Output("dbeta: float")
    .Output("dresidual: T")
    .Attr("T: {float, bfloat16}")
    .Attr("images_per_group: int >= 1")
    .Attr("channels_per_group: int >= 1")
    .Attr("epsilon: float")
    .Attr("relu: bool")
    .Attr("has_residual: bool")
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle x;
      bool residual;
      TF_RETURN_IF_ERROR(c->WithRankAtLeast(c->input(1), 2, &x));
      TF_RETURN_IF_ERROR(c->GetAttr("has_residual", &residual));
      c->set_output(0, x);
      c->set_output(1, c->input(3));
      c->set_output(2, c->input(3));
      c->set_output(3, residual ? x : c->Vector(0));
      return absl::OkStatus();
    });

REGISTER_OP("GnbenchAffineRelu")
    .Input("x: T")
    .Input("residual: T")
    .Input("scale: float")
    .Input("shift: float")
    .Output("y: T")
    .Attr("T: {float, bfloat16}")
    .Attr("relu: bool")
    .Attr("has_residual: bool")
    .SetShapeFn(tensorflow::shape_inference::UnchangedShape);

REGISTER_OP("GnbenchSgd")
    .Input("variables: N * resource")
    .Input("velocities: N * resource")
    .Input("gradients: N * float")
    .Input("rate: float")
    .Input("weight_decay: float")
    .Attr("N: int >= 1")
    .Attr("momentum: float")
    .Attr("nesterov: bool")
    .Attr("decay_mask: list(bool)")
    .SetIsStateful()
    .SetShapeFn(noOutputs);

REGISTER_OP("GnbenchMovingAverage")
    .Input("variables: N * resource")
    .Input("values: N * float")
    .Attr("N: int >= 1")
    .Attr("momentum: float")
    .Attr("scales: list(float)")
    .SetIsStateful()
    .SetShapeFn(noOutputs);

REGISTER_OP("GnbenchConv")
    .Input("x: float")
    .Input("w: float")
    .Output("y: float")
    .Attr("stride: int")
    .SetShapeFn([](InferenceContext* c) {
      int64_t stride;
      TF_RETURN_IF_ERROR(c->GetAttr("stride", &stride));
      ShapeHandle x, w;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &x));
      TF_RETURN_IF_ERROR(c->WithRank(c->input(1), 4, &w));
      const auto size = [&](int axis) {
        if (!c->ValueKnown(c->Dim(x, axis)) || !c->ValueKnown(c->Dim(w, 0))) return c->UnknownDim();
        return c->MakeDim(ConvGeometry::outSize(c->Value(c->Dim(x, axis)), c->Value(c->Dim(w, 0)), stride));
      };
      c->set_output(0, c->MakeShape({c->Dim(x, 0), size(1), size(2), c->Dim(w, 3)}));
      return absl::OkStatus();
    });

REGISTER_OP("GnbenchConvBackpropInput")
    .Input("dy: float")
    .Input("w: float")
    .Input("addend: float")
    .Output("dx: float")
    .Attr("stride: int")
    .Attr("height: int")
    .Attr("width: int")
    .Attr("has_addend: bool")
    .SetShapeFn([](InferenceContext* c) {
      int64_t height, width;
      TF_RETURN_IF_ERROR(c->GetAttr("height", &height));
      TF_RETURN_IF_ERROR(c->GetAttr("width", &width));
      ShapeHandle dy, w;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &dy));
      TF_RETURN_IF_ERROR(c->WithRank(c->input(1), 4, &w));
      c->set_output(0, c->MakeShape({c->Dim(dy, 0), c->MakeDim(height), c->MakeDim(width), c->Dim(w, 2)}));
      return absl::OkStatus();
    });

REGISTER_OP("GnbenchConvBackpropFilter")
    .Input("x: float")
    .Input("dy: float")
    .Output("dw: float")
    .Attr("stride: int")
    .Attr("kernel: int")
    .SetShapeFn([](InferenceContext* c) {
      int64_t kernel;
      TF_RETURN_IF_ERROR(c->GetAttr("kernel", &kernel));
      ShapeHandle x, dy;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &x));
      TF_RETURN_IF_ERROR(c->WithRank(c->input(1), 4, &dy));
      c->set_output(0, c->MakeShape({c->MakeDim(kernel), c->MakeDim(kernel), c->Dim(x, 3), c->Dim(dy, 3)}));
      return absl::OkStatus();
    });

#define GNBENCH_REGISTER(name, kernel)                                                                           \
  REGISTER_KERNEL_BUILDER(Name(name).Device(tensorflow::DEVICE_CPU).TypeConstraint<float>("T"), kernel<float>); \
  REGISTER_KERNEL_BUILDER(Name(name).Device(tensorflow::DEVICE_CPU).TypeConstraint<tensorflow::bfloat16>("T"),  \
                          kernel<tensorflow::bfloat16>)
GNBENCH_REGISTER("GnbenchNormalize", NormalizeOp);
GNBENCH_REGISTER("GnbenchNormalizeGrad", NormalizeGradOp);
GNBENCH_REGISTER("GnbenchAffineRelu", AffineReluOp);
REGISTER_KERNEL_BUILDER(Name("GnbenchConv").Device(tensorflow::DEVICE_CPU), ConvOp);
REGISTER_KERNEL_BUILDER(Name("GnbenchConvBackpropInput").Device(tensorflow::DEVICE_CPU), ConvBackpropInputOp);
REGISTER_KERNEL_BUILDER(Name("GnbenchConvBackpropFilter").Device(tensorflow::DEVICE_CPU), ConvBackpropFilterOp);
REGISTER_KERNEL_BUILDER(Name("GnbenchSgd").Device(tensorflow::DEVICE_CPU), SgdOp);
REGISTER_KERNEL_BUILDER(Name("GnbenchMovingAverage").Device(tensorflow::DEVICE_CPU), MovingAverageOp);

}  // namespace gnbench

NAPI_MODULE_INIT() {
  (void)env;
  return exports;
}
