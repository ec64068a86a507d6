// The arithmetic of every operation, free of TensorFlow: a table of functions, compiled once for each instruction set
// and chosen at run time. Rows are pixels, columns are channels: x is [rows, channels], contiguous.
#pragma once
#include <stdint.h>

namespace gnbench {

/** The two storage formats; arithmetic is float32 in both. */
enum Format { kFloat32 = 0, kBFloat16 = 1, kFormats = 2 };

/** Sums over the rows of one chunk, per channel, in float64. */
struct Sums {
  double* first;   // forward: x - shift; backward: dy
  double* second;  // forward: (x - shift)²; backward: dy · (x - shift)
};

/** y = relu?((x - shift) · scale + offset + residual), per channel. */
struct Affine {
  const float* shift;  // null: 0
  const float* scale;
  const float* offset;
};

/** dx = dy · scale - (x - shift) · slope - constant, per channel. */
struct GradientAffine {
  const float* shift;
  const float* scale;
  const float* slope;
  const float* constant;
};

/** The statistics of a set, one value per group; the variance is the biased one. */
struct Statistics {
  float *mean, *rstd, *variance;
};

/** The shape of one set of images that share statistics, and epsilon. */
struct Group {
  int64_t rows;
  int64_t channels;
  int64_t channelsPerGroup;  // channels in a group
  double epsilon;
};

/** The passes over rows, for one storage format. */
struct RowLoops {
  /** Adds the sums of x - shift and its square to `sums`. */
  void (*sum)(const void* x, int64_t rows, int64_t channels, const float* shift, Sums sums);
  /** Copies the first row as float32: the sums are shifted by it. */
  void (*row)(const void* x, int64_t channels, float* out);
  /** In place (y = x or y = residual) is allowed. `residual` may be null. */
  void (*affine)(const void* x, const void* residual, void* y, int64_t rows, int64_t channels, Affine affine,
                 bool relu);
  /**
   * Adds the sums of dy and dy · (x - shift) to `sums`, where dy counts only where y > 0 (y null: everywhere).
   * `masked`, when not null, receives that dy; it may be dy's own memory.
   */
  void (*gradientSum)(const void* dy, const void* x, const void* y, void* masked, int64_t rows, int64_t channels,
                      const float* shift, Sums sums);
  /** dx may be dy's, x's or y's own memory. */
  void (*gradientAffine)(const void* dy, const void* x, const void* y, void* dx, int64_t rows, int64_t channels,
                         GradientAffine affine);
};

/** [height, width, channels]. */
struct Plane {
  int64_t height, width, channels;
};

/** A convolution (in: x, out: y) or, transposed, its gradient (in: dy, out: dx); the padding is kernel / 2. */
struct ConvPass {
  Plane in, out;
  int64_t kernel, stride;  // kernel 1 or 3, stride 1 or 2
  bool transposed;
  // Weights are [kernel row, tap, input channel, output channel]; the strides between taps, input channels and vectors
  // of output channels.
  int64_t tapStride, lineStride, blockStride;
};

/** Windows over the pixels of an image, height before width; each has a pixel within the image. */
struct Pool {
  Plane in, out;
  int64_t kernel[2], stride[2], padding[2];
};

/** How a box's code is read: what it is divided by, the least side of a reference, the most growth, and the border. */
struct BoxCode {
  float weights[4];  // of x, y, width and height
  float leastSide, mostGrowth;
  float border[2];  // the image's width and height
};

/** Boxes by columns, one value a box: left, top, right, bottom, and the area. */
struct BoxColumns {
  float *left, *top, *right, *bottom, *area;
};

struct PackedPass;

/** Pixels and output channels of a packed convolution: products [firstTile, lastTile) of packedTiles', and channels. */
struct PackedShare {
  int64_t images, firstTile, lastTile, firstChannel, lastChannel;
};

struct Loops {
  const char* name;
  int64_t lanes;  // output channels of one vector
  RowLoops rows[kFormats];
  /**
   * From sums to statistics (per group) and the affine of the forward pass (shift, scale, offset; per
   * channel). False when the shift was so far from a mean that the variance lost its digits: `shift` then holds the
   * channels' means, to sum again with. `last`: take them as they are.
   */
  bool (*statistics)(Group group, Sums sums, const float* gamma, const float* beta, Statistics out, float* shift,
                     float* scale, float* offset, double* scratch, bool last);
  /** shift[c] = mean[c / channelsPerGroup]. */
  void (*spread)(Group group, const float* mean, float* shift);
  /** From sums to the affine of the backward pass; `sums.second` becomes this set's part of gamma's gradient. */
  void (*gradientStatistics)(Group group, Sums sums, const float* gamma, const float* rstd, float* scale, float* slope,
                             float* constant);
  /** sum += part. */
  void (*addFloats)(int64_t count, const float* part, float* sum);
  /** sum += part, and out = sum rounded to float32. */
  void (*add)(int64_t count, const double* part, double* sum);
  void (*round)(int64_t count, const double* sum, float* out);
  /** g = gradient + decay · w; v = momentum · v + g; w -= rate · (nesterov ? g + momentum · v : v). */
  void (*sgd)(int64_t count, const float* w, const float* v, const float* gradient, float* newW, float* newV, float rate,
              float decay, float momentum, bool nesterov);
  /** y = max(x + residual, 0), where `residual` may be null; dx = dy where y > 0. By format, element by element. */
  void (*rectify[kFormats])(int64_t count, const void* x, const void* residual, void* y);
  void (*rectifyGradient[kFormats])(int64_t count, const void* dy, const void* y, void* dx);
  void (*widen)(int64_t count, const uint16_t* from, float* to);
  void (*narrow)(int64_t count, const float* from, uint16_t* to);
  /** y = (pixel - mean) · scale, where mean and scale repeat every `period` elements, a multiple of 16. By format. */
  void (*images[kFormats])(int64_t count, const uint8_t* pixels, int64_t period, const float* mean, const float* scale,
                           void* y);
  /**
   * The largest value of each window, for rows [begin, end) of one image's outputs, and which tap of its window it is; dx of
   * rows [begin, end) of its inputs. By format.
   */
  void (*maxPool[kFormats])(const Pool& pool, const void* x, void* y, uint8_t* taps, int64_t begin, int64_t end);
  void (*maxPoolGradient[kFormats])(const Pool& pool, const void* dy, const uint8_t* taps, void* dx, int64_t begin,
                                    int64_t end);
  /** Output rows [begin, end) of one image and output channels [first, last), multiples of `lanes`; y = addend + … */
  void (*conv)(const ConvPass& pass, const float* x, const float* weights, const float* addend, float* y, int64_t begin,
               int64_t end, int64_t firstChannel, int64_t lastChannel);
  /**
   * The same for kernel 3 at stride 1, images of even height and width and whole vectors of channels, by Winograd's
   * filtering: the tiles of 2 × 2 pixels [begin, end) of one image, counted row by row. Sizes are in values. x, addend and
   * y by format.
   */
  int64_t (*winogradSize)(const ConvPass& pass);
  void (*winogradWeights)(const ConvPass& pass, const float* weights, float* packed);
  int64_t (*winogradScratch)(const ConvPass& pass);
  void (*winograd[kFormats])(const ConvPass& pass, const void* x, const float* packed, const void* addend, void* y,
                             int64_t begin, int64_t end, float* scratch);
  /** [taps, in, out] → [in / lanes, taps, out, lanes]: the order of weights that the transposed pass reads. */
  void (*transposeWeights)(int64_t taps, int64_t in, int64_t out, const float* weights, float* packed);
  /**
   * The filter's gradient, [kernel, kernel, in, out], for input channels [firstIn, lastIn) and the vector of output
   * channels at `channel`, over `images` images. `pass` is the convolution itself.
   */
  void (*convFilter)(const ConvPass& pass, const float* x, const float* dy, int64_t images, int64_t firstIn,
                     int64_t lastIn, int64_t channel, float* gradient);
  /**
   * Convolutions of many channels as products of packed panels (packed-plan.h). y = addend + …, where addend may be null or
   * y's own memory; the scratch memory is in values. A share's channels begin and end at multiples of kPackedChannels.
   */
  int64_t (*packedTiles)(const PackedPass& plan, int64_t images);
  int64_t (*packedScratch)(const PackedPass& plan, int64_t channels);
  void (*packedConv)(const PackedPass& plan, const float* x, const float* weights, const float* addend, float* y,
                     PackedShare share, float* scratch);
  /** The filter's gradient for the weights [firstRow, lastRow) of a group (filterGroups), and all output channels. */
  int64_t (*packedFilterScratch)(const ConvPass& pass);
  void (*packedFilter)(const ConvPass& pass, const float* x, const float* dy, int64_t images, int64_t group,
                       int64_t firstRow, int64_t lastRow, float* gradient, float* scratch);
  /**
   * The same by Winograd's filtering, for all input and `outputs` output channels; it sums winogradFilterTiles tiles at a
   * time. x and dy by format.
   */
  int64_t (*winogradFilterTiles)(const ConvPass& pass);
  int64_t (*winogradFilterScratch)(const ConvPass& pass, int64_t outputs);
  void (*winogradFilter[kFormats])(const ConvPass& pass, const void* x, const void* dy, int64_t images, int64_t first,
                                   int64_t outputs, float* gradient, float* scratch);
  /** Detection's: weighted sums of rows of channels, their gradient, and overlaps of boxes (box-loops.h). */
  void (*weightedSum)(int64_t count, const float* const* rows, const float* weights, int64_t channels, float* y);
  void (*weightedScatter)(int64_t count, float* const* rows, const float* weights, int64_t channels, const float* dy);
  bool (*overlapsAny)(int64_t count, const BoxColumns& boxes, const float* box, float area, float threshold,
                      bool inclusive);
  void (*overlaps)(int64_t count, const float* boxes, const float* box, bool crowd, float* out);
  void (*decodeBoxes)(int64_t count, const float* codes, const float* references, bool shared, const BoxCode& how,
                      float* boxes);
  /** Detection's losses, each with its derivative (detection-loss-loops.h). */
  void (*smoothL1)(int64_t count, const float* x, const float* target, float beta, float* loss, float* slope);
  void (*crossEntropy)(int64_t count, const float* x, int64_t stride, const float* target, float* loss, float* slope);
};

/** The part of a batch that the filter's gradient takes at a time: `rows` rows of one image, or `images` whole images. */
struct FilterBand {
  int64_t rows, images;
};

/**
 * Convolutions in bfloat16 on a unit that multiplies pairs of values: the tile unit or dot products. Sizes are in values
 * of 2 bytes, but for filterScratch, which is in bytes.
 */
struct PairLoops {
  const char* name;
  int64_t throughputVsFloat32;  // multiplications in the time of one float32 multiplication
  int64_t channelMultiple;      // conv needs a number of input channels that is a multiple of it
  int64_t (*packedSize)(const ConvPass& pass);
  void (*pack)(const ConvPass& pass, const float* weights, uint16_t* packed);
  int64_t (*scratchSize)(const ConvPass& pass, int64_t rows);
  void (*conv)(const ConvPass& pass, const uint16_t* x, const uint16_t* packed, const uint16_t* addend, uint16_t* y,
               int64_t begin, int64_t end, uint16_t* scratch);
  FilterBand (*filterBand)(const ConvPass& pass);
  int64_t (*filterSums)(const ConvPass& pass);
  int64_t (*filterScratch)(const ConvPass& pass, int64_t images, int64_t rows);
  void (*filter)(const ConvPass& pass, const uint16_t* x, const uint16_t* dy, int64_t images, int64_t begin,
                 int64_t rows, bool start, float* sums, void* scratch);
  void (*filterEnd)(const ConvPass& pass, const float* sums, float* gradient);
  /**
   * Products of packed panels, as in Loops, with pairs of values for words: a convolution's input channels, whose weights
   * packPairs brings together, or a gradient's pixels. Null where the loops above are faster at any size.
   */
  void (*packPairs)(int64_t rows, int64_t columns, const float* weights, float* pairs);
  void (*packedConv)(const PackedPass& plan, const float* x, const float* weights, const float* addend, float* y,
                     PackedShare share, float* scratch);
  void (*packedFilter)(const ConvPass& pass, const uint16_t* x, const uint16_t* dy, int64_t images, int64_t group,
                       int64_t firstRow, int64_t lastRow, float* gradient, float* scratch);
};

/** The fastest unit of this processor; null if it has none that multiplies bfloat16. */
const PairLoops* pairLoops();

/**
 * The best table for this processor, or the one that the environment's GNBENCH_ISA names: generic, avx2, avx512,
 * avx512_bf16 or amx_bf16.
 */
const Loops& loops();

/** Says why GNBENCH_ISA cannot be followed; null if it can, or is not set. */
const char* dispatchError();

}  // namespace gnbench
