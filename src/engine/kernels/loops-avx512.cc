#define GNBENCH_ISA avx512
#include "table.h"
