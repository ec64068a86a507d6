// The attributes, inputs and outputs of GnbenchNormalize and its gradient, with the checks that every device's kernel begins
// with.
#pragma once
#include "ops/geometry.h"

namespace gnbench {

/** The attributes all normalizing operations share. */
struct NormalizeAttributes {
  int64_t imagesPerGroup = 0, channelsPerGroup = 0;
  float epsilon = 0;
  bool relu = false, residual = false;

  void read(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("images_per_group", &imagesPerGroup));
    OP_REQUIRES_OK(context, context->GetAttr("channels_per_group", &channelsPerGroup));
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon));
    OP_REQUIRES_OK(context, context->GetAttr("relu", &relu));
    OP_REQUIRES_OK(context, context->GetAttr("has_residual", &residual));
    OP_REQUIRES(context, imagesPerGroup > 0 && channelsPerGroup > 0,
                absl::InvalidArgumentError("images_per_group and channels_per_group must be positive"));
  }

  absl::Status geometry(const Tensor& x, Geometry* out) const {
    if (x.dims() < 2) {
      return absl::InvalidArgumentError(
          absl::StrCat("x must be [images, ..., channels], but its shape is ", x.shape().DebugString()));
    }
    const int64_t images = x.dim_size(0), channels = x.dim_size(x.dims() - 1);
    if (channels < 1 || channels % channelsPerGroup != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(channels, " channels do not fall into groups of ", channelsPerGroup));
    }
    if (images % imagesPerGroup != 0) {
      return absl::InvalidArgumentError(absl::StrCat(images, " images do not fall into sets of ", imagesPerGroup));
    }
    out->sets = images / imagesPerGroup;
    const int64_t rows = out->sets == 0 ? 0 : x.NumElements() / channels / out->sets;
    if (out->sets > 0 && rows == 0) return absl::InvalidArgumentError("x has images without pixels");
    out->group = Group{rows, channels, channelsPerGroup, epsilon};
    out->groups = channels / channelsPerGroup;
    out->chunk = chunkRows(channels);
    out->chunks = (rows + out->chunk - 1) / out->chunk;
    return absl::OkStatus();
  }
};

/** The inputs of GnbenchNormalize; the residual is any tensor where there is none. */
struct NormalizeInputs : NormalizeAttributes {
  /** Gives how x falls into sets and groups, checked with all other inputs. */
  absl::Status check(OpKernelContext* context, Geometry* out) const {
    const Tensor& x = context->input(0);
    TF_RETURN_IF_ERROR(geometry(x, out));
    TF_RETURN_IF_ERROR(requireLength("gamma", context->input(2), out->group.channels));
    TF_RETURN_IF_ERROR(requireLength("beta", context->input(3), out->group.channels));
    return residual ? requireSameShape("residual", context->input(1), x) : absl::OkStatus();
  }
};

struct NormalizeOutputs {
  Tensor *y, *mean, *rstd, *variance;

  /** y takes the memory of x or of the residual where nobody else reads it. */
  absl::Status allocate(OpKernelContext* context, const Geometry& geometry) {
    const tensorflow::TensorShape perGroup({geometry.sets * geometry.groups});
    TF_RETURN_IF_ERROR(context->forward_input_or_allocate_output({0, 1}, 0, context->input(0).shape(), &y));
    TF_RETURN_IF_ERROR(context->allocate_output(1, perGroup, &mean));
    TF_RETURN_IF_ERROR(context->allocate_output(2, perGroup, &rstd));
    return context->allocate_output(3, perGroup, &variance);
  }
};

/** The inputs of GnbenchNormalizeGrad: dy, x, y (any tensor without a ReLU), γ, and the mean and 1/σ of each group. */
struct NormalizeGradInputs : NormalizeAttributes {
  absl::Status check(OpKernelContext* context, Geometry* out) const {
    const Tensor& x = context->input(1);
    TF_RETURN_IF_ERROR(geometry(x, out));
    TF_RETURN_IF_ERROR(requireSameShape("dy", context->input(0), x));
    if (relu) TF_RETURN_IF_ERROR(requireSameShape("y", context->input(2), x));
    TF_RETURN_IF_ERROR(requireLength("gamma", context->input(3), out->group.channels));
    TF_RETURN_IF_ERROR(requireLength("mean", context->input(4), out->sets * out->groups));
    return requireLength("rstd", context->input(5), out->sets * out->groups);
  }
};

struct NormalizeGradOutputs {
  Tensor *dx, *dgamma, *dbeta;
  /** The residual's gradient, dy where the ReLU let it through; null where it is dy itself, or there is no residual. */
  Tensor* masked = nullptr;

  /** dx and the residual's gradient take the inputs' memory where nobody else reads it. */
  absl::Status allocate(OpKernelContext* context, const NormalizeAttributes& attributes) {
    const auto &shape = context->input(1).shape(), &perChannel = context->input(3).shape();
    if (!attributes.residual) {
      Tensor* nothing;
      TF_RETURN_IF_ERROR(context->allocate_output(3, tensorflow::TensorShape({0}), &nothing));
    } else if (attributes.relu) {
      TF_RETURN_IF_ERROR(context->forward_input_or_allocate_output({0}, 3, shape, &masked));
    } else {
      context->set_output(3, context->input(0));
    }
    TF_RETURN_IF_ERROR(context->forward_input_or_allocate_output({0, 1, 2}, 0, shape, &dx));
    TF_RETURN_IF_ERROR(context->allocate_output(1, perChannel, &dgamma));
    return context->allocate_output(2, perChannel, &dbeta);
  }
};

}  // namespace gnbench
