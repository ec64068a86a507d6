// Applies TF_CPP_MIN_LOG_LEVEL (0 all, 1 warnings, 2 errors, 3 fatal errors only) to TensorFlow's C++ log. TensorFlow
// does so itself only in its Python module, and its first lines come from constructors that run while
// libtensorflow_framework is being loaded. So this addon is linked with `-z initfirst`: its constructor runs before
// those of the library that it needs. It is loaded before the binding; the level is a plain atomic, valid by then.
#include <node_api.h>

#include <cstdlib>
#include <cstring>

#include "absl/base/log_severity.h"
#include "absl/log/globals.h"
#include "tsl/platform/tensor_float_32_utils.h"

__attribute__((constructor)) static void ApplyLogLevel() {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level == nullptr || level[0] < '0' || level[0] > '3' || level[1] != '\0') return;
  absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(level[0] - '0'));
}

// TensorFlow asks for TF32, float32 with 10 bits of mantissa, in convolutions and products wherever a GPU has it, and so
// does what XLA compiles. Its C API has no switch for that. CUDA's own libraries heed NVIDIA_TF32_OVERRIDE; so does this.
NAPI_MODULE_INIT() {
  const char* tf32 = std::getenv("NVIDIA_TF32_OVERRIDE");
  if (tf32 != nullptr && std::strcmp(tf32, "0") == 0) tsl::enable_tensor_float_32_execution(false);
  return exports;
}
