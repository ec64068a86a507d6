#define GNBENCH_ISA avx512_bf16
#include "table.h"
