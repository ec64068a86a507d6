// GnbenchSubsample and its gradient: every stride-th pixel of every stride-th row, and channels of zeros behind. A thread
// for each value that is written.
#include "image-arguments.h"
#include "values.h"

template <class T>
__device__ inline void subsample(const SubsampleArguments& a) {
  const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const int height = (a.height + a.stride - 1) / a.stride, width = (a.width + a.stride - 1) / a.stride;
  if (index >= a.images * height * width * a.padded) return;
  const int channel = (int)(index % a.padded);
  const long long pixel = index / a.padded;
  const int column = (int)(pixel % width) * a.stride, row = (int)(pixel / width % height) * a.stride;
  const long long image = pixel / width / height;
  T value = {};
  if (channel < a.channels)
    value = ((const T*)a.from)[((image * a.height + row) * a.width + column) * a.channels + channel];
  ((T*)a.to)[index] = value;
}

template <class T>
__device__ inline void subsampleGradient(const SubsampleArguments& a) {
  const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= a.images * a.height * a.width * a.channels) return;
  const int height = (a.height + a.stride - 1) / a.stride, width = (a.width + a.stride - 1) / a.stride;
  const int channel = (int)(index % a.channels);
  const long long pixel = index / a.channels;
  const int column = (int)(pixel % a.width), row = (int)(pixel / a.width % a.height);
  const long long image = pixel / a.width / a.height;
  T value = {};
  if (row % a.stride == 0 && column % a.stride == 0) {
    const long long from = (image * height + row / a.stride) * width + column / a.stride;
    value = ((const T*)a.from)[from * a.padded + channel];
  }
  ((T*)a.to)[index] = value;
}

extern "C" __global__ void subsample_float(SubsampleArguments arguments) { subsample<float>(arguments); }
extern "C" __global__ void subsample_bfloat16(SubsampleArguments arguments) { subsample<BFloat16>(arguments); }
extern "C" __global__ void subsample_grad_float(SubsampleArguments arguments) { subsampleGradient<float>(arguments); }
extern "C" __global__ void subsample_grad_bfloat16(SubsampleArguments arguments) { subsampleGradient<BFloat16>(arguments); }
