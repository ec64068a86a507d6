// GnbenchSoftmaxLoss: the mean cross-entropy of softmax(logits), the number of images whose largest logit is not the
// label's, and the loss's gradient. A block for each image, then one that adds up. It is little work, so it is done in
// float64. A label that is no class makes the loss NaN: a GPU cannot refuse it.
#include "head-arguments.h"

/** The largest of a block's values, with the first place that has it; a NaN is larger than any number. */
struct Largest {
  double value;
  int place;

  __device__ void add(const Largest& other) {
    const bool larger = other.value > value || other.value != other.value;
    if (value == value && (larger || (other.value == value && other.place < place))) *this = other;
  }
};

struct Sum {
  double value;

  __device__ void add(const Sum& other) { value += other.value; }
};

/** Adds up the entries of all threads, a power of two of them, in the same order always; the result is in the first. */
template <class Part>
__device__ inline Part addAll(Part own, Part* memory) {
  __syncthreads();
  memory[threadIdx.x] = own;
  __syncthreads();
  for (int half = (int)blockDim.x / 2; half > 0; half /= 2) {
    if ((int)threadIdx.x < half) memory[threadIdx.x].add(memory[threadIdx.x + half]);
    __syncthreads();
  }
  return memory[0];
}

extern "C" __global__ void __launch_bounds__(128) softmax_loss_image(SoftmaxLossArguments a) {
  __shared__ Largest largest[128];
  __shared__ Sum sums[128];
  const int image = blockIdx.x;
  const float* logits = a.logits + (long long)image * a.classes;
  Largest own = {logits[0], 0};
  for (int k = threadIdx.x; k < a.classes; k += blockDim.x) own.add({logits[k], k});
  const Largest top = addAll(own, largest);
  Sum part = {0.0};
  for (int k = threadIdx.x; k < a.classes; k += blockDim.x) part.value += exp((double)logits[k] - top.value);
  const double normalizer = top.value + log(addAll(part, sums).value);
  const int label = a.labels[image];
  const bool valid = label >= 0 && label < a.classes;
  for (int k = threadIdx.x; k < a.classes; k += blockDim.x) {
    const double gradient = exp((double)logits[k] - normalizer) - (k == label ? 1.0 : 0.0);
    a.gradient[(long long)image * a.classes + k] = (float)(gradient / a.images);
  }
  if (threadIdx.x == 0) {
    a.losses[2 * image] = valid ? normalizer - (double)logits[label] : nan("");
    a.losses[2 * image + 1] = top.place == label && top.value == top.value ? 0.0 : 1.0;
  }
}

extern "C" __global__ void __launch_bounds__(128) softmax_loss_total(SoftmaxLossArguments a) {
  __shared__ Sum sums[128];
  Sum loss = {0.0}, errors = {0.0};
  for (int image = threadIdx.x; image < a.images; image += blockDim.x) {
    loss.value += a.losses[2 * image];
    errors.value += a.losses[2 * image + 1];
  }
  const double total = addAll(loss, sums).value;
  const double wrong = addAll(errors, sums).value;
  if (threadIdx.x == 0) {
    *a.loss = (float)(total / a.images);
    *a.errors = (float)wrong;
  }
}
