// GnbenchAffineRelu: y = relu?(x·scale + shift + residual), per channel; a thread for each element.
#include "affine-arguments.h"
#include "values.h"

template <class T>
__device__ inline void affineRelu(const AffineArguments& a) {
  const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= a.elements) return;
  const int channel = (int)(index % a.channels);
  float value = widen(((const T*)a.x)[index]) * a.scale[channel] + a.shift[channel];
  if (a.residual) value += widen(((const T*)a.residual)[index]);
  narrow(a.relu ? rectified(value) : value, (T*)a.y + index);
}

extern "C" __global__ void affine_relu_float(AffineArguments arguments) { affineRelu<float>(arguments); }
extern "C" __global__ void affine_relu_bfloat16(AffineArguments arguments) { affineRelu<BFloat16>(arguments); }
