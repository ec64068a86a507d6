// Compiles kernels by NVRTC, NVIDIA's compiler for programs that run: a Node addon. NVRTC is opened when it is asked for,
// so nothing of CUDA is needed to compile this file. It needs no GPU, either.
#include <dlfcn.h>
#include <node_api.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

class Nvrtc {
 public:
  explicit Nvrtc(const std::string& path) : library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) throw std::runtime_error(std::string("NVRTC cannot be opened: ") + dlerror());
  }

  std::string version() {
    int major = 0, minor = 0;
    check(call("nvrtcVersion", &major, &minor));
    return std::to_string(major) + "." + std::to_string(minor);
  }

  std::vector<int> architectures() {
    int count = 0;
    check(call("nvrtcGetNumSupportedArchs", &count));
    std::vector<int> all(count);
    check(call("nvrtcGetSupportedArchs", all.data()));
    return all;
  }

  /** `architecture`: sm_90 for machine code, compute_90 for code that the driver compiles for newer GPUs. */
  std::string compile(const std::string& name, const std::string& source, const std::vector<std::string>& headerNames,
                      const std::vector<std::string>& headers, const std::string& architecture) {
    std::vector<const char*> names, contents;
    for (const std::string& header : headerNames) names.push_back(header.c_str());
    for (const std::string& header : headers) contents.push_back(header.c_str());
    void* program = nullptr;
    check(call("nvrtcCreateProgram", &program, source.c_str(), name.c_str(), static_cast<int>(names.size()), contents.data(),
               names.data()));
    const std::string target = "--gpu-architecture=" + architecture;
    const char* options[] = {target.c_str(), "--std=c++17"};
    const int status = call("nvrtcCompileProgram", program, 2, static_cast<const char**>(options));
    const std::string log = text(program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
    std::string code;
    if (status == 0) {
      const bool machine = architecture.rfind("sm_", 0) == 0;
      code = machine ? text(program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN") : text(program, "nvrtcGetPTXSize", "nvrtcGetPTX");
    }
    call("nvrtcDestroyProgram", &program);
    if (status != 0) throw std::runtime_error(name + " cannot be compiled for " + architecture + ": " + log);
    return code;
  }

 private:
  template <class... Arguments>
  int call(const char* name, Arguments... arguments) {
    auto* function = reinterpret_cast<int (*)(Arguments...)>(dlsym(library_, name));
    if (function == nullptr) throw std::runtime_error(std::string("NVRTC has no ") + name);
    return function(arguments...);
  }

  void check(int status) {
    if (status == 0) return;
    auto* text = reinterpret_cast<const char* (*)(int)>(dlsym(library_, "nvrtcGetErrorString"));
    throw std::runtime_error(text ? text(status) : "NVRTC: " + std::to_string(status));
  }

  std::string text(void* program, const char* size, const char* get) {
    size_t length = 0;
    check(call(size, program, &length));
    std::string out(length, '\0');
    check(call(get, program, &out[0]));
    return out;
  }

  void* library_;
};

std::string stringOf(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) throw std::runtime_error("a string is wanted");
  std::string out(length, '\0');
  napi_get_value_string_utf8(env, value, &out[0], length + 1, &length);
  return out;
}

std::vector<std::string> stringsOf(napi_env env, napi_value array) {
  uint32_t length = 0;
  if (napi_get_array_length(env, array, &length) != napi_ok) throw std::runtime_error("an array is wanted");
  std::vector<std::string> out;
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    napi_get_element(env, array, i, &element);
    out.push_back(stringOf(env, element));
  }
  return out;
}

template <int kCount, class Body>
napi_value call(napi_env env, napi_callback_info info, const Body& body) {
  size_t count = kCount;
  napi_value arguments[kCount];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  try {
    if (count != kCount) throw std::runtime_error("the number of arguments is another one");
    return body(arguments);
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

/** describe(nvrtc: string): its version, and the architectures that it knows: 70 is sm_70. */
napi_value Describe(napi_env env, napi_callback_info info) {
  return call<1>(env, info, [&](napi_value* arguments) {
    Nvrtc nvrtc(stringOf(env, arguments[0]));
    const std::string version = nvrtc.version();
    napi_value result, text, list, number;
    napi_create_object(env, &result);
    napi_create_string_utf8(env, version.data(), version.size(), &text);
    napi_set_named_property(env, result, "version", text);
    napi_create_array(env, &list);
    uint32_t index = 0;
    for (const int architecture : nvrtc.architectures()) {
      napi_create_int32(env, architecture, &number);
      napi_set_element(env, list, index++, number);
    }
    napi_set_named_property(env, result, "architectures", list);
    return result;
  });
}

/** compile(nvrtc, name, source, headerNames, headers, architecture): the code. Throws what NVRTC says. */
napi_value Compile(napi_env env, napi_callback_info info) {
  return call<6>(env, info, [&](napi_value* arguments) {
    Nvrtc nvrtc(stringOf(env, arguments[0]));
    const std::string code =
        nvrtc.compile(stringOf(env, arguments[1]), stringOf(env, arguments[2]), stringsOf(env, arguments[3]),
                      stringsOf(env, arguments[4]), stringOf(env, arguments[5]));
    napi_value buffer;
    if (napi_create_buffer_copy(env, code.size(), code.data(), nullptr, &buffer) != napi_ok)
      throw std::runtime_error("there is no memory for the code");
    return buffer;
  });
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value describe, compile;
  napi_create_function(env, "describe", NAPI_AUTO_LENGTH, Describe, nullptr, &describe);
  napi_create_function(env, "compile", NAPI_AUTO_LENGTH, Compile, nullptr, &compile);
  napi_set_named_property(env, exports, "describe", describe);
  napi_set_named_property(env, exports, "compile", compile);
  return exports;
}
