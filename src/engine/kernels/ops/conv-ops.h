// GnbenchConv and GnbenchConvBackpropInput: 3×3 and 1×1 convolutions of images,
// [images, height, width, channels], float32 or bfloat16 (the weights are float32 always), with PyTorch's symmetric
// padding (kernel / 2). At a few small images per step a library's set-up costs as much as the convolution; these have
// none.
#pragma once
#include "ops/conv-passes.h"

namespace gnbench {

class ConvOp : public Operation {
 public:
  explicit ConvOp(OpKernelConstruction* context) : Operation(context) {
    attributes_.read(context);
  }

  void compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &w = context->input(1);
    OP_REQUIRES_OK(context, requireRank4("x", x));
    OP_REQUIRES_OK(context, requireRank4("w", w));
    const int64_t kernel = w.dim_size(0);
    const Plane in = planeOf(x);
    OP_REQUIRES(context, w.dim_size(1) == kernel && w.dim_size(2) == in.channels,
                absl::InvalidArgumentError(absl::StrCat("weights ", w.shape().DebugString(), " do not fit x ",
                                                        x.shape().DebugString())));
    const Plane out{ConvGeometry::outSize(in.height, kernel, attributes_.stride), ConvGeometry::outSize(in.width, kernel, attributes_.stride),
                    w.dim_size(3)};
    const ConvGeometry geometry{x.dim_size(0), in, out, kernel, attributes_.stride, attributes_.winograd};
    OP_REQUIRES_OK(context, geometry.check());
    Tensor* y;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, {geometry.images, out.height, out.width, out.channels}, &y));
    OP_REQUIRES_OK(context, convolve(context, geometry, geometry.forward(), x, w.flat<float>().data(), nullptr, y));
  }

 private:
  ConvAttributes attributes_;
};

/** dx = addend + the gradient; the addend is what reaches x by another way, such as a shortcut. */
class ConvBackpropInputOp : public Operation {
 public:
  explicit ConvBackpropInputOp(OpKernelConstruction* context) : Operation(context) {
    attributes_.read(context);
    OP_REQUIRES_OK(context, context->GetAttr("height", &height_));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width_));
    OP_REQUIRES_OK(context, context->GetAttr("has_addend", &hasAddend_));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &dy = context->input(0), &w = context->input(1), &addend = context->input(2);
    OP_REQUIRES_OK(context, requireRank4("dy", dy));
    OP_REQUIRES_OK(context, requireRank4("w", w));
    const Plane out = planeOf(dy), in{height_, width_, w.dim_size(2)};
    const ConvGeometry geometry{dy.dim_size(0), in, out, w.dim_size(0), attributes_.stride, attributes_.winograd};
    OP_REQUIRES(context, w.dim_size(1) == geometry.kernel && w.dim_size(3) == out.channels,
                absl::InvalidArgumentError(absl::StrCat("weights ", w.shape().DebugString(), " do not fit dy ",
                                                        dy.shape().DebugString())));
    OP_REQUIRES_OK(context, geometry.check());
    OP_REQUIRES(context, in.channels % 16 == 0,
                absl::InvalidArgumentError(absl::StrCat(in.channels, " input channels are not a multiple of 16")));
    const tensorflow::TensorShape shape({geometry.images, in.height, in.width, in.channels});
    OP_REQUIRES(context, !hasAddend_ || addend.shape() == shape,
                absl::InvalidArgumentError(absl::StrCat("addend has shape ", addend.shape().DebugString(), ", dx ",
                                                        shape.DebugString())));
    Tensor* dx;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({2}, 0, shape, &dx));
    OP_REQUIRES_OK(context, convolve(context, geometry, geometry.backward(), dy, w.flat<float>().data(),
                                     hasAddend_ ? &addend : nullptr, dx));
  }

 private:
  ConvAttributes attributes_;
  int64_t height_ = 0, width_ = 0;
  bool hasAddend_ = false;
};

REGISTER_OP("GnbenchConv")
    .Input("x: T")
    .Input("w: float")
    .Output("y: T")
    .Attr("T: {float, bfloat16} = DT_FLOAT")
    .Attr("stride: int")
    .Attr("winograd: bool = false")
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
    .Input("dy: T")
    .Input("w: float")
    .Input("addend: T")
    .Output("dx: T")
    .Attr("T: {float, bfloat16} = DT_FLOAT")
    .Attr("stride: int")
    .Attr("winograd: bool = false")
    .Attr("height: int")
    .Attr("width: int")
    .Attr("has_addend: bool")
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle dy, w;
      std::vector<DimensionHandle> sizes;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &dy));
      TF_RETURN_IF_ERROR(c->WithRank(c->input(1), 4, &w));
      TF_RETURN_IF_ERROR(attributeDimensions(c, {"height", "width"}, &sizes));
      c->set_output(0, c->MakeShape({c->Dim(dy, 0), sizes[0], sizes[1], c->Dim(w, 2)}));
      return absl::OkStatus();
    });
GNBENCH_REGISTER_KERNEL("GnbenchConv", ConvOp);
GNBENCH_REGISTER_KERNEL("GnbenchConvBackpropInput", ConvBackpropInputOp);

}  // namespace gnbench
