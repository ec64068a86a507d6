// The place of a block of the normalizing kernels: its set, its channels, and the groups that its lanes belong to.
#pragma once
#include "block.h"
#include "normalize-arguments.h"

struct Place {
  const NormalizeShape& shape;
  int set, firstChannel, channels, groups;

  __device__ Place(const NormalizeShape& shape, int set, int slab)
      : shape(shape),
        set(set),
        firstChannel(slab * shape.slab),
        channels(min(shape.slab, shape.channels - slab * shape.slab)),
        groups(channels / shape.channelsPerGroup) {}

  /** In x. */
  __device__ long long at(int row, int channel) const {
    return ((long long)set * shape.rows + row) * shape.channels + firstChannel + channel;
  }
  /** The group of a lane, among those of all channels. */
  __device__ int group(int lane) const { return (firstChannel + (groups > 1 ? lane : 0)) / shape.channelsPerGroup; }
  __device__ int allGroups() const { return shape.channels / shape.channelsPerGroup; }
  /** Lanes that share a group. */
  __device__ int width(const Lanes& at) const { return groups > 1 ? shape.channelsPerGroup : at.lanes; }
  /** The first lane of this lane's group. */
  __device__ int leader(const Lanes& at) const { return at.lane / width(at) * width(at); }
};
