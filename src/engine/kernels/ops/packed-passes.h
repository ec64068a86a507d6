// How convolutions of many channels are shared out among threads. Whichever thread computes an output, its sum is the same.
#pragma once
#include "ops/conv-geometry.h"
#include "packed-plan.h"
#include "thread-memory.h"

namespace gnbench {

/**
 * True when a convolution is computed as products of packed panels. The direct loops are faster where the weights are few
 * and the images small, as in CIFAR's networks: nothing is copied there.
 */
inline bool isPacked(const ConvGeometry& geometry) {
  constexpr int64_t kSmallImage = 32 * 32, kFewWeights = 128 * 128, kFewChannels = 16, kManyFilters = 64;
  const int64_t in = geometry.x.channels, out = geometry.y.channels;
  return geometry.kernel > 3 || geometry.x.height * geometry.x.width > kSmallImage ||
         in * out > (geometry.kernel == 1 ? kFewWeights / 4 : kFewWeights) || (in < kFewChannels && out >= kManyFilters);
}

/** Output channels in parts so that weights and pixels, each packed once a part, take the least copying in all. */
inline int64_t channelParts(const ConvPass& pass, int64_t images, int64_t threads) {
  const double pixels = static_cast<double>(images * pass.out.height * pass.out.width);
  // To pack a weight takes some four times as long as a pixel's value.
  const auto copies = [&](int64_t parts) { return 4.0 * pass.out.channels / parts + pixels * parts / threads; };
  int64_t best = 1;
  for (int64_t parts = 2; parts <= threads && pass.out.channels / parts >= 2 * kPackedChannels; parts *= 2)
    if (copies(parts) < copies(best)) best = parts;
  return best;
}

/** `packedConv` is that of Loops or of PairLoops; then a pass has a pair of input channels for every one. */
template <class PackedConv>
void runPacked(OpKernelContext* context, PackedConv packedConv, const ConvGeometry& geometry, const ConvPass& pass,
               const float* x, const float* weights, const float* addend, float* y) {
  const PackedPass plan = planPacked(pass);
  const int64_t tiles = loops().packedTiles(plan, geometry.images);
  if (tiles == 0) return;
  const int threads = convThreads(context, geometry.multiplications());
  const int64_t parts = channelParts(pass, geometry.images, threads);
  // A thread with many tiles has them in shares, of which another one can take some.
  constexpr int64_t kShare = 128;
  const int64_t each = (threads + parts - 1) / parts;
  const int64_t shares = std::min(tiles, each * std::max<int64_t>(1, std::min<int64_t>(8, tiles / each / kShare)));
  const int64_t columns = (pass.out.channels + kPackedChannels - 1) / kPackedChannels;
  parallel(context, threads, parts * shares, [&](int64_t task) {
    const int64_t part = task / shares, index = task % shares;
    const int64_t first = columns * part / parts * kPackedChannels;
    const int64_t last = std::min(pass.out.channels, columns * (part + 1) / parts * kPackedChannels);
    packedConv(plan, x, weights, addend, y, {geometry.images, tiles * index / shares, tiles * (index + 1) / shares, first, last},
                       ThreadMemory::get<kTaskMemory>().reserve<float>(loops().packedScratch(plan, last - first)));
  });
}

template <class PackedFilter, class Value>
void runPackedFilter(OpKernelContext* context, PackedFilter packedFilter, const ConvGeometry& geometry, const Value* x,
                     const Value* dy, float* gradient) {
  const ConvPass pass = geometry.forward();
  const FilterGroups groups = filterGroups(pass);
  const int threads = convThreads(context, geometry.multiplications());
  // Tasks of about one size, several a thread, and as many for each; but not of so few weights that copies take the time.
  constexpr int64_t kLeastRows = 16;
  int64_t parts = groups.count == 1 ? threads : (3 * threads + groups.count - 1) / groups.count;
  while (groups.count * parts % threads != 0) parts++;
  parts = std::max<int64_t>(1, std::min(parts, groups.rows / kLeastRows));
  parallel(context, threads, groups.count * parts, [&](int64_t task) {
    const int64_t group = task / parts, part = task % parts;
    packedFilter(pass, x, dy, geometry.images, group, groups.rows * part / parts, groups.rows * (part + 1) / parts,
                         gradient, ThreadMemory::get<kTaskMemory>().reserve<float>(loops().packedFilterScratch(pass)));
  });
}

}  // namespace gnbench
