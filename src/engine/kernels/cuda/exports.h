// The addon's functions for JavaScript: it hands over the compiled kernels, and asks for which operations there are some.
#pragma once
#include <vector>

#include "cuda/driver.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace gnbench::cuda {

/** provide(file: string, image: Uint8Array): the kernels of device/`file`.cu, compiled. */
inline napi_value Provide(napi_env env, napi_callback_info info) {
  size_t count = 2, length = 0, bytes = 0;
  napi_value arguments[2];
  char file[64] = "";
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok || count != 2 ||
      napi_get_value_string_utf8(env, arguments[0], file, sizeof(file), &length) != napi_ok ||
      napi_get_typedarray_info(env, arguments[1], nullptr, &bytes, &data, nullptr, nullptr) != napi_ok) {
    napi_throw_type_error(env, nullptr, "provide(file, image) takes a string and a Uint8Array");
    return nullptr;
  }
  try {
    Driver::get().provide(file, std::string(static_cast<const char*>(data), bytes));
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return nullptr;
}

/** operations(): the names of the operations that have a kernel here. */
inline napi_value Operations(napi_env env, napi_callback_info) {
  const auto ours = [](const tensorflow::KernelDef& kernel) {
    return kernel.device_type() == tensorflow::DEVICE_GPU && kernel.op().rfind("Gnbench", 0) == 0;
  };
  const tensorflow::KernelList kernels = tensorflow::GetFilteredRegisteredKernels(ours);
  napi_value names, name;
  napi_create_array(env, &names);
  for (int i = 0; i < kernels.kernel_size(); i++) {
    const std::string& op = kernels.kernel(i).op();
    napi_create_string_utf8(env, op.data(), op.size(), &name);
    napi_set_element(env, names, i, name);
  }
  return names;
}

}  // namespace gnbench::cuda

NAPI_MODULE_INIT() {
  napi_value provide, operations;
  napi_create_function(env, "provide", NAPI_AUTO_LENGTH, gnbench::cuda::Provide, nullptr, &provide);
  napi_create_function(env, "operations", NAPI_AUTO_LENGTH, gnbench::cuda::Operations, nullptr, &operations);
  napi_set_named_property(env, exports, "provide", provide);
  napi_set_named_property(env, exports, "operations", operations);
  return exports;
}
