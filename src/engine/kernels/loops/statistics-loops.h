// The computation between the two passes over the rows: from channels' sums to groups' statistics to an affine per channel.
// All in float64, on a few dozen values; plain loops that the compiler vectorises.
#pragma once
#include "loops.h"
#include "vector.h"

namespace gnbench {
namespace GNBENCH_ISA {

/** A shift this many variances (squared) away from a channel's mean costs the variance 6 bits. */
constexpr double kFarShift = 64;

/** In eight chains, which a vector adds at once; one chain would wait for each addition. */
GNBENCH_INLINE double total(const double* values, int64_t count) {
  double part[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int j = 0; j < 8; j++) part[j] += values[i + j];
  double sum = ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
  for (; i < count; i++) sum += values[i];
  return sum;
}

GNBENCH_INLINE double weightedTotal(const float* weights, const double* values, int64_t count) {
  double part[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int j = 0; j < 8; j++) part[j] += (double)weights[i + j] * values[i + j];
  double sum = ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
  for (; i < count; i++) sum += (double)weights[i] * values[i];
  return sum;
}

GNBENCH_INLINE void spreadMean(Group group, const float* mean, float* shift) {
  const int64_t groups = group.channels / group.channelsPerGroup;
  for (int64_t g = 0, c = 0; g < groups; g++)
    for (int64_t i = 0; i < group.channelsPerGroup; i++, c++) shift[c] = mean[g];
}

inline void spread(Group group, const float* mean, float* shift) { spreadMean(group, mean, shift); }

/**
 * Chan's combination: a group's variance is the mean of its channels' variances and of their squared distances from the
 * group's mean. Nothing is subtracted that is large, so a mean of 1000 with a deviation of 1 keeps its digits. The mean
 * goes into the affine as the nearest float32 and a remainder: `offset` takes the remainder.
 */
inline bool statistics(Group group, Sums sums, const float* gamma, const float* beta, Statistics out, float* shift,
                       float* scale, float* offset, double* scratch, bool last) {
  const int64_t channels = group.channels, groups = channels / group.channelsPerGroup;
  const double perRow = 1.0 / (double)group.rows, perChannel = 1.0 / (double)group.channelsPerGroup;
  double* channelMean = sums.first;
  double* groupMean = scratch;
  double* groupVariance = scratch + groups;
  double* groupDistance = scratch + 2 * groups;
  double* channelVariance = sums.second;
  double* distance = scratch + 3 * groups;
  for (int64_t c = 0; c < channels; c++) {
    const double delta = sums.first[c] * perRow;
    distance[c] = delta * delta;
    const double variance = sums.second[c] * perRow - distance[c];
    channelVariance[c] = variance < 0 ? 0 : variance;
    channelMean[c] = (double)shift[c] + delta;
  }
  for (int64_t g = 0; g < groups; g++) {
    groupMean[g] = total(channelMean + g * group.channelsPerGroup, group.channelsPerGroup) * perChannel;
  }
  for (int64_t g = 0; g < groups; g++) {
    const int64_t c = g * group.channelsPerGroup;
    for (int64_t i = c; i < c + group.channelsPerGroup; i++) {
      const double apart = channelMean[i] - groupMean[g];
      channelVariance[i] += apart * apart;
    }
    groupVariance[g] = total(channelVariance + c, group.channelsPerGroup) * perChannel;
    groupDistance[g] = total(distance + c, group.channelsPerGroup) * perChannel;
  }
  bool near = true;
  for (int64_t g = 0; g < groups; g++) near &= !(groupDistance[g] > kFarShift * groupVariance[g]);
  if (!near && !last) {
    for (int64_t c = 0; c < channels; c++) shift[c] = (float)channelMean[c];
    return false;
  }
  for (int64_t g = 0; g < groups; g++) {
    out.mean[g] = (float)groupMean[g];
    out.variance[g] = (float)groupVariance[g];
    groupMean[g] -= (double)out.mean[g];
    groupVariance[g] = 1.0 / __builtin_sqrt(groupVariance[g] + group.epsilon);
    out.rstd[g] = (float)groupVariance[g];
  }
  for (int64_t g = 0, c = 0; g < groups; g++) {
    for (int64_t i = 0; i < group.channelsPerGroup; i++, c++) {
      const double slope = (double)gamma[c] * groupVariance[g];
      shift[c] = out.mean[g];
      scale[c] = (float)slope;
      offset[c] = (float)((double)beta[c] - groupMean[g] * slope);
    }
  }
  return true;
}

/** dx = rstd · (γ·dy - mean(γ·dy) - x̂ · mean(γ·dy·x̂)), means over the group. */
inline void gradientStatistics(Group group, Sums sums, const float* gamma, const float* rstd, float* scale,
                               float* slope, float* constant) {
  const int64_t groups = group.channels / group.channelsPerGroup;
  const double perElement = 1.0 / ((double)group.rows * (double)group.channelsPerGroup);
  for (int64_t g = 0; g < groups; g++) {
    const int64_t c = g * group.channelsPerGroup;
    const double r = (double)rstd[g];
    const double dy = weightedTotal(gamma + c, sums.first + c, group.channelsPerGroup);
    const double dyx = weightedTotal(gamma + c, sums.second + c, group.channelsPerGroup);
    const float groupConstant = (float)(r * dy * perElement);
    const float groupSlope = (float)(r * r * r * dyx * perElement);
    for (int64_t i = c; i < c + group.channelsPerGroup; i++) {
      scale[i] = gamma[i] * rstd[g];
      slope[i] = groupSlope;
      constant[i] = groupConstant;
      sums.second[i] *= r;
    }
  }
}

inline void addFloats(int64_t count, const float* part, float* sum) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; i++) sum[i] += part[i];
}

inline void widen(int64_t count, const uint16_t* from, float* to) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) Float32::store(to + i, BFloat16::load(from + i));
  if (i < count) Float32::storeFirst(to + i, BFloat16::loadFirst(from + i, (int)(count - i)), (int)(count - i));
}

inline void narrow(int64_t count, const float* from, uint16_t* to) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) BFloat16::store(to + i, Float32::load(from + i));
  if (i < count) BFloat16::storeFirst(to + i, Float32::loadFirst(from + i, (int)(count - i)), (int)(count - i));
}

inline void add(int64_t count, const double* part, double* sum) {
  for (int64_t i = 0; i < count; i++) sum[i] += part[i];
}

inline void round(int64_t count, const double* sum, float* out) {
  for (int64_t i = 0; i < count; i++) out[i] = (float)sum[i];
}

template <class S>
void images(int64_t count, const uint8_t* pixels, int64_t period, const float* mean, const float* scale, void* y) {
  typedef typename S::Type T;
  T* to = (T*)y;
  for (int64_t start = 0; start < count; start += period) {
    const int64_t end = period < count - start ? period : count - start;
    int64_t i = 0;
    for (; i + kLanes <= end; i += kLanes) {
      Floats pixel;
      for (int lane = 0; lane < kLanes; lane++) pixel[lane] = (float)pixels[start + i + lane];
      S::store(to + start + i, (pixel - Float32::load(mean + i)) * Float32::load(scale + i));
    }
    if (i < end) {
      Floats pixel = zero();
      for (int lane = 0; lane < end - i; lane++) pixel[lane] = (float)pixels[start + i + lane];
      S::storeFirst(to + start + i, (pixel - Float32::load(mean + i)) * Float32::load(scale + i), (int)(end - i));
    }
  }
}

inline void sgd(int64_t count, const float* w, const float* v, const float* gradient, float* newW, float* newV,
                float rate, float decay, float momentum, bool nesterov) {
  if (nesterov) {
#pragma GCC ivdep
    for (int64_t i = 0; i < count; i++) {
      const float g = gradient[i] + decay * w[i];
      const float velocity = momentum * v[i] + g;
      newV[i] = velocity;
      newW[i] = w[i] - rate * (g + momentum * velocity);
    }
  } else {
#pragma GCC ivdep
    for (int64_t i = 0; i < count; i++) {
      const float velocity = momentum * v[i] + (gradient[i] + decay * w[i]);
      newV[i] = velocity;
      newW[i] = w[i] - rate * velocity;
    }
  }
}

}  // namespace GNBENCH_ISA
}  // namespace gnbench
