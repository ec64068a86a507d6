// GnbenchRectify and its gradient: y = max(x + residual, 0); a thread for each element.
#include "rectify-arguments.h"
#include "values.h"

template <class T>
__device__ inline void rectify(const RectifyArguments& a) {
  const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= a.elements) return;
  float value = widen(((const T*)a.x)[index]);
  if (a.residual) value += widen(((const T*)a.residual)[index]);
  narrow(rectified(value), (T*)a.y + index);
}

template <class T>
__device__ inline void rectifyGradient(const RectifyGradArguments& a) {
  const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= a.elements) return;
  const float dy = widen(((const T*)a.dy)[index]);
  narrow(widen(((const T*)a.y)[index]) > 0.f ? dy : 0.f, (T*)a.dx + index);
}

extern "C" __global__ void rectify_float(RectifyArguments arguments) { rectify<float>(arguments); }
extern "C" __global__ void rectify_bfloat16(RectifyArguments arguments) { rectify<BFloat16>(arguments); }
extern "C" __global__ void rectify_grad_float(RectifyGradArguments arguments) { rectifyGradient<float>(arguments); }
extern "C" __global__ void rectify_grad_bfloat16(RectifyGradArguments arguments) { rectifyGradient<BFloat16>(arguments); }
