// A libcuda.so.1 that launches nothing and says what it is asked for.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cuCtxGetCurrent(void** context) {
  const char* number = getenv("GNBENCH_TEST_CONTEXT");
  *context = (void*)(size_t)(number ? atoi(number) : 1);
  return 0;
}
int cuModuleLoadData(void** module, const void* image) {
  printf("load %.5s\n", (const char*)image);
  *module = (void*)(size_t)2;
  return 0;
}
int cuModuleGetFunction(void** function, void* module, const char* name) {
  if (strcmp(name, "missing") == 0) return 500;
  printf("find %s in %d\n", name, (int)(size_t)module);
  *function = strcmp(name, "broken") == 0 ? (void*)(size_t)9 : (void*)(size_t)3;
  return 0;
}
int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void* stream, void** parameters, void** extra) {
  if ((size_t)function == 9) return 700;
  printf("launch %d: %u %u %u of %u %u %u, shared %u, stream %d, %d, %s\n", (int)(size_t)function, gx, gy, gz, bx, by, bz,
         shared, (int)(size_t)stream, *(int*)parameters[0], extra ? "extra" : "no extra");
  return 0;
}
int cuMemcpyHtoDAsync_v2(unsigned long long to, const void* from, size_t bytes, void* stream) {
  printf("copy %.*s to %d, stream %d\n", (int)bytes, (const char*)from, (int)to, (int)(size_t)stream);
  return 0;
}
int cuGetErrorName(int status, const char** name) {
  *name = status == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : "CUDA_ERROR_NOT_FOUND";
  return 0;
}
