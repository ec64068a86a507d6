// Holds the tile unit's convolutions, whose instructions are emulated here, against their definition in float64. Prints what
// differs, and ends with status 1 then.
#include <cmath>
#include <cstdio>
#include <vector>

#include "testing/emulated-tiles.h"
// The loops that follow use the emulation.
#include "../loops-amx.cc"

using gnbench::ConvPass;
using gnbench::PairLoops;

static uint32_t seed = 1;
/** Uniform in [-1, 1), of the values that bfloat16 has. */
static float nextRandom() {
  seed = seed * 1664525 + 1013904223;
  const float value = static_cast<float>(seed / 2147483648.0 - 1);
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits &= 0xffff0000;
  return emulated::widened(static_cast<uint16_t>(bits >> 16));
}
static std::vector<float> randoms(int64_t count) {
  std::vector<float> out(count);
  for (float& value : out) value = nextRandom();
  return out;
}
static std::vector<uint16_t> narrowed(const std::vector<float>& values) {
  std::vector<uint16_t> out;
  for (const float value : values) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    out.push_back(static_cast<uint16_t>(bits >> 16));
  }
  return out;
}

struct Case {
  int64_t images, height, width, in, out, kernel, stride;
};

/** A result with, for each element, the sum of its products and the sum of their absolute values. */
struct Expected {
  std::vector<double> sums, sizes;
  explicit Expected(int64_t count) : sums(count), sizes(count) {}
  void add(int64_t at, double product) {
    sums[at] += product;
    sizes[at] += std::fabs(product);
  }
};

static int failures = 0;
static void compare(const char* unit, const char* what, const Case& test, const std::vector<float>& actual,
                    const Expected& expected, double share) {
  for (size_t i = 0; i < actual.size(); i++) {
    if (std::fabs(actual[i] - expected.sums[i]) <= share * expected.sizes[i]) continue;
    std::printf("%s, %s of %ldx%ldx%ldx%ld to %ld, kernel %ld, stride %ld, element %zu: %g where %g is right\n", unit, what,
                (long)test.images, (long)test.height, (long)test.width, (long)test.in, (long)test.out, (long)test.kernel,
                (long)test.stride, i, actual[i], expected.sums[i]);
    failures++;
    return;
  }
}

/** A forward or transposed pass in bands of `bandRows` rows, with `addend` if it is not empty. */
static std::vector<float> convolve(const PairLoops& unit, const ConvPass& pass, int64_t images,
                                   const std::vector<uint16_t>& x, const std::vector<float>& weights,
                                   const std::vector<uint16_t>& addend, int64_t bandRows) {
  const int64_t inSize = pass.in.height * pass.in.width * pass.in.channels;
  const int64_t outSize = pass.out.height * pass.out.width * pass.out.channels;
  const int64_t rows = pass.transposed ? (pass.out.height + pass.stride - 1) / pass.stride : pass.out.height;
  std::vector<uint16_t> packed(unit.packedSize(pass) + 32), y(images * outSize, 0x7fc0), scratch(unit.scratchSize(pass, bandRows) + 64);
  uint16_t* aligned = reinterpret_cast<uint16_t*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63});
  unit.pack(pass, weights.data(), packed.data());
  for (int64_t n = 0; n < images; n++)
    for (int64_t begin = 0; begin < rows; begin += bandRows)
      unit.conv(pass, x.data() + n * inSize, packed.data(), addend.empty() ? nullptr : addend.data() + n * outSize,
                y.data() + n * outSize, begin, begin + bandRows < rows ? begin + bandRows : rows, aligned);
  std::vector<float> out;
  for (const uint16_t value : y) out.push_back(emulated::widened(value));
  return out;
}

static std::vector<float> filterGradient(const PairLoops& unit, const ConvPass& pass, int64_t images,
                                         const std::vector<uint16_t>& x, const std::vector<uint16_t>& dy, int64_t count) {
  const gnbench::FilterBand band = unit.filterBand(pass);
  std::vector<float> sums(unit.filterSums(pass) + 16), gradient(count);
  std::vector<char> scratch(unit.filterScratch(pass, band.images, band.rows) + 64);
  char* aligned = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63});
  for (int64_t n = 0; n < images; n += band.images)
    for (int64_t begin = 0; begin < pass.out.height; begin += band.rows)
      unit.filter(pass, x.data() + n * pass.in.height * pass.in.width * pass.in.channels,
                  dy.data() + n * pass.out.height * pass.out.width * pass.out.channels,
                  band.images < images - n ? band.images : images - n, begin,
                  band.rows < pass.out.height - begin ? band.rows : pass.out.height - begin, n == 0 && begin == 0,
                  sums.data(), aligned);
  unit.filterEnd(pass, sums.data(), gradient.data());
  return gradient;
}

static void check(const PairLoops& unit, const Case& test) {
  const int64_t pad = test.kernel / 2, taps = test.kernel * test.kernel;
  const gnbench::Plane in{test.height, test.width, test.in};
  const gnbench::Plane out{(test.height - 1) / test.stride + 1, (test.width - 1) / test.stride + 1, test.out};
  const int64_t inCount = test.images * in.height * in.width * in.channels;
  const int64_t outCount = test.images * out.height * out.width * out.channels;
  const std::vector<float> x = randoms(inCount), w = randoms(taps * test.in * test.out), dy = randoms(outCount);
  const std::vector<float> added = randoms(inCount);
  Expected y(outCount), dx(inCount), dxAdded(inCount), dw(w.size());
  for (int64_t n = 0; n < test.images; n++)
    for (int64_t h = 0; h < out.height; h++)
      for (int64_t v = 0; v < out.width; v++)
        for (int64_t tap = 0; tap < taps; tap++) {
          const int64_t row = h * test.stride + tap / test.kernel - pad, column = v * test.stride + tap % test.kernel - pad;
          if (row < 0 || row >= in.height || column < 0 || column >= in.width) continue;
          for (int64_t c = 0; c < in.channels; c++)
            for (int64_t k = 0; k < out.channels; k++) {
              const int64_t xi = ((n * in.height + row) * in.width + column) * in.channels + c;
              const int64_t wi = (tap * in.channels + c) * out.channels + k;
              const int64_t yi = ((n * out.height + h) * out.width + v) * out.channels + k;
              y.add(yi, double(x[xi]) * w[wi]);
              dx.add(xi, double(dy[yi]) * w[wi]);
              dw.add(wi, double(dy[yi]) * x[xi]);
            }
        }
  const double exact = 2e-6, stored = 1.0 / 256;  // float32 sums; rounded to bfloat16
  const ConvPass forward{in, out, test.kernel, test.stride, false, test.in * test.out, test.out, 16};
  const auto xHalves = narrowed(x), dyHalves = narrowed(dy);
  if (test.in % unit.channelMultiple == 0)
    for (const int64_t band : {int64_t{3}, out.height})
      compare(unit.name, "y", test, convolve(unit, forward, test.images, xHalves, w, {}, band), y, stored);
  compare(unit.name, "dw", test, filterGradient(unit, forward, test.images, xHalves, dyHalves, w.size()), dw, exact);
  if (test.in % 16 != 0) return;
  const ConvPass backward{out, in, test.kernel, test.stride, true, test.out * 16, 16, taps * test.out * 16};
  // [taps, in, out] → [in / 16, taps, out, 16]
  std::vector<float> transposed(w.size());
  for (int64_t tap = 0; tap < taps; tap++)
    for (int64_t c = 0; c < test.in; c++)
      for (int64_t k = 0; k < test.out; k++)
        transposed[((c / 16 * taps + tap) * test.out + k) * 16 + c % 16] = w[(tap * test.in + c) * test.out + k];
  dxAdded = dx;
  for (int64_t i = 0; i < inCount; i++) dxAdded.add(i, added[i]);
  for (const int64_t band : {int64_t{2}, in.height}) {
    compare(unit.name, "dx", test, convolve(unit, backward, test.images, dyHalves, transposed, {}, band), dx, stored);
    compare(unit.name, "dx with an addend", test,
            convolve(unit, backward, test.images, dyHalves, transposed, narrowed(added), band), dxAdded, stored);
  }
}

int main() {
  const int64_t shapes[][5] = {{2, 32, 32, 3, 16},  {2, 16, 16, 16, 16}, {1, 16, 16, 32, 32}, {3, 8, 8, 64, 64},
                               {1, 14, 14, 16, 32}, {2, 7, 7, 48, 16},   {1, 5, 28, 16, 16},  {5, 1, 1, 16, 16},
                               {1, 2, 2, 32, 16},   {1, 9, 35, 16, 48},  {2, 3, 23, 5, 16},   {17, 4, 4, 16, 32},
                               {1, 4, 6, 24, 16},   {1, 10, 10, 48, 48}};
  for (const auto& [images, height, width, in, out] : shapes)
    for (const int64_t kernel : {1, 3})
      for (const int64_t stride : {1, 2}) {
        check(gnbench::amx::table, Case{images, height, width, in, out, kernel, stride});
      }
  std::printf("%d failures\n", failures);
  return failures > 0;
}
