// The calls of NVIDIA's driver: to load compiled kernels and to launch them. The driver's library is opened when
// the first kernel is launched, so nothing of CUDA is needed to compile this, or to load it where there is no GPU.
#pragma once
#include <dlfcn.h>

#include <cstddef>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "cuda/grid.h"

namespace gnbench::cuda {

class Driver {
 public:
  /** A stream, as the driver knows it. */
  using Stream = void*;

  static Driver& get() {
    static Driver driver;
    return driver;
  }

  /** The kernels of a file, compiled for this machine's GPU. */
  void provide(const std::string& file, std::string image) {
    const std::lock_guard<std::mutex> lock(mutex_);
    images_[file] = std::move(image);
  }

  /** Launches a kernel whose one parameter is a structure. */
  void launch(const char* file, const std::string& kernel, Grid grid, int threads, void* arguments, Stream stream) {
    void* parameters[] = {arguments};
    check("cuLaunchKernel",
          call<int>("cuLaunchKernel", function(file, kernel), unsigned(grid.x), unsigned(grid.y), unsigned(grid.z),
                    unsigned(threads), 1u, 1u, 0u, stream, static_cast<void**>(parameters), static_cast<void**>(nullptr)));
  }

  /** Copies to the GPU's memory, behind what the stream was given before; `from` may change when this returns. */
  void upload(void* to, const void* from, size_t bytes, Stream stream) {
    check("cuMemcpyHtoDAsync", call<int>("cuMemcpyHtoDAsync_v2", reinterpret_cast<unsigned long long>(to), from, bytes, stream));
  }

 private:
  using Handle = void*;

  Driver() : library_(dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) throw std::runtime_error(std::string("NVIDIA's driver cannot be opened: ") + dlerror());
  }

  /** The kernel in the GPU context of this thread; its file is loaded into that once. */
  Handle function(const char* file, const std::string& kernel) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Handle context = nullptr;
    check("cuCtxGetCurrent", call<int>("cuCtxGetCurrent", &context));
    Handle& found = functions_[{context, kernel}];
    if (found != nullptr) return found;
    Handle& module = modules_[{context, file}];
    if (module == nullptr) {
      const auto image = images_.find(file);
      if (image == images_.end()) throw std::runtime_error(std::string("the kernels of ") + file + ".cu are not compiled");
      check("cuModuleLoadData", call<int>("cuModuleLoadData", &module, static_cast<const void*>(image->second.data())));
    }
    check("cuModuleGetFunction", call<int>("cuModuleGetFunction", &found, module, kernel.c_str()));
    return found;
  }

  template <class Result, class... Arguments>
  Result call(const char* name, Arguments... arguments) {
    auto* function = reinterpret_cast<Result (*)(Arguments...)>(dlsym(library_, name));
    if (function == nullptr) throw std::runtime_error(std::string("NVIDIA's driver has no ") + name);
    return function(arguments...);
  }

  void check(const char* what, int status) {
    if (status == 0) return;
    const char* name = nullptr;
    call<int>("cuGetErrorName", status, &name);
    throw std::runtime_error(std::string(what) + ": " + (name ? name : std::to_string(status)));
  }

  Handle library_;
  std::mutex mutex_;
  std::map<std::string, std::string> images_;
  std::map<std::pair<Handle, std::string>, Handle> modules_, functions_;
};

}  // namespace gnbench::cuda
