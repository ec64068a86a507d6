// Stands in for NVIDIA's driver as far as counting goes: one GPU that nothing can be computed on. With it, TensorFlow
// opens CUDA's libraries and says which GPUs it would register. Compiled as libcuda.so.1 and as libnvidia-ml.so.1.
#include <stddef.h>
#include <string.h>

// --- The driver ---

int cuInit(unsigned flags) { return 0; }
int cuDriverGetVersion(int *version) { return *version = 13000, 0; }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGet(int *device, int index) { return *device = index, 0; }
int cuDeviceGetName(char *name, int size, int device) { return strncpy(name, "a GPU that only counts", size), 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { return *bytes = (size_t)80 << 30, 0; }
int cuDeviceGetPCIBusId(char *name, int size, int device) { return strncpy(name, "0000:00:04.0", size), 0; }

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
    case 10: return *value = 32, 0;   // threads of a warp
    case 16: return *value = 132, 0;  // multiprocessors
    case 75: return *value = 9, 0;    // compute capability, major
    case 76: return *value = 0, 0;    // and minor
    default: return *value = 1024, 0;
  }
}

// --- One context, which is only handed around ---

static void *current;
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) { return *flags = 0, *active = 0, 0; }
int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) { return 0; }
int cuDevicePrimaryCtxRetain(void **context, int device) { return *context = &current, 0; }
int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
int cuCtxSetCurrent(void *context) { return current = context, 0; }
int cuCtxGetCurrent(void **context) { return *context = current, 0; }
int cuCtxGetDevice(int *device) { return *device = 0, 0; }
int cuMemGetInfo_v2(size_t *available, size_t *total) { return *available = *total = (size_t)80 << 30, 0; }
int cuGetErrorName(int error, const char **name) { return *name = "CUDA_ERROR", 0; }
int cuGetErrorString(int error, const char **text) { return *text = "an error", 0; }

// --- The management library ---

int nvmlInit_v2(void) { return 0; }
int nvmlInit(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { return strncpy(text, "580.00.00", size), 0; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { return *version = 13000, 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { return *count = 1, 0; }
const char *nvmlErrorString(int error) { return "an error"; }
