#define GNBENCH_ISA generic
#include "table.h"
