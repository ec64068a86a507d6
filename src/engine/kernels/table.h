// The table of one instruction set; included by loops-*.cc with GNBENCH_ISA defined.
#include "loops/backward-loops.h"
#include "loops/box-loops.h"
#include "loops/conv-filter-loops.h"
#include "loops/conv-loops.h"
#include "loops/detection-loss-loops.h"
#include "loops/forward-loops.h"
#include "loops/packed-conv-loops.h"
#include "loops/packed-filter-loops.h"
#include "loops/pool-loops.h"
#include "loops/rectify-loops.h"
#include "loops/statistics-loops.h"
#include "loops/winograd-filter-loops.h"
#include "loops/winograd-loops.h"

namespace gnbench {
namespace GNBENCH_ISA {

#define GNBENCH_NAME_OF(isa) #isa
#define GNBENCH_NAME(isa) GNBENCH_NAME_OF(isa)

extern const Loops table;
const Loops table = {
    GNBENCH_NAME(GNBENCH_ISA),
    kLanes,
    {{sum<Float32>, row<Float32>, affine<Float32>, gradientSum<Float32>, gradientAffine<Float32>},
     {sum<BFloat16>, row<BFloat16>, affine<BFloat16>, gradientSum<BFloat16>, gradientAffine<BFloat16>}},
    statistics,
    spread,
    gradientStatistics,
    addFloats,
    add,
    round,
    sgd,
    {rectify<Float32>, rectify<BFloat16>},
    {rectifyGradient<Float32>, rectifyGradient<BFloat16>},
    widen,
    narrow,
    {images<Float32>, images<BFloat16>},
    {maxPool<Float32>, maxPool<BFloat16>},
    {maxPoolGradient<Float32>, maxPoolGradient<BFloat16>},
    conv,
    winogradSize,
    winogradWeights,
    winogradScratch,
    {winograd<Float32>, winograd<BFloat16>},
    transposeWeights,
    convFilter,
    packedTiles,
    packedScratch,
    packedConv<Singles>,
    packedFilterScratch,
    packedFilter<SinglePixels>,
    winogradFilterTiles,
    winogradFilterScratch,
    {winogradFilter<Float32>, winogradFilter<BFloat16>},
    weightedSum,
    weightedScatter,
    overlapsAny,
    overlaps,
    decodeBoxes,
    smoothL1,
    crossEntropy,
};

}  // namespace GNBENCH_ISA
}  // namespace gnbench
