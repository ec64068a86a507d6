// Asks what the NVIDIA driver says of this machine, and which of CUDA's libraries can be opened from where TensorFlow looks
// for them: this addon is linked with the same folders in its run path. Nothing of CUDA is needed to compile or to load
// it; the driver's own libraries are opened when asked, and what they lack is an answer too.
#include <dlfcn.h>
#include <link.h>
#include <node_api.h>

#include <cstring>
#include <string>

namespace {

using Handle = void*;

/** Calls a function of an opened library; -1 where it has none of this name. */
template <class... Arguments>
int call(Handle library, const char* name, Arguments... arguments) {
  auto* function = reinterpret_cast<int (*)(Arguments...)>(dlsym(library, name));
  return function == nullptr ? -1 : function(arguments...);
}

class Object {
 public:
  explicit Object(napi_env env) : env_(env) { napi_create_object(env, &value_); }
  napi_value value() const { return value_; }
  void set(const char* name, napi_value value) { napi_set_named_property(env_, value_, name, value); }
  void set(const char* name, double number) {
    napi_value value;
    napi_create_double(env_, number, &value);
    set(name, value);
  }
  void set(const char* name, const std::string& text) {
    napi_value value;
    napi_create_string_utf8(env_, text.data(), text.size(), &value);
    set(name, value);
  }

 private:
  napi_env env_;
  napi_value value_;
};

napi_value describeDevices(napi_env env, Handle cuda) {
  napi_value devices;
  napi_create_array(env, &devices);
  int count = 0;
  if (call(cuda, "cuDeviceGetCount", &count) != 0) count = 0;
  for (int i = 0; i < count; i++) {
    int device = 0, major = 0, minor = 0;
    size_t memory = 0;
    char name[256] = "";
    call(cuda, "cuDeviceGet", &device, i);
    call(cuda, "cuDeviceGetName", &name[0], static_cast<int>(sizeof(name)), device);
    call(cuda, "cuDeviceGetAttribute", &major, 75, device);  // COMPUTE_CAPABILITY_MAJOR, _MINOR
    call(cuda, "cuDeviceGetAttribute", &minor, 76, device);
    call(cuda, "cuDeviceTotalMem_v2", &memory, device);
    Object object(env);
    object.set("name", std::string(name));
    object.set("major", major);
    object.set("minor", minor);
    object.set("memory", static_cast<double>(memory));
    napi_set_element(env, devices, i, object.value());
  }
  return devices;
}

/** Adds the facts from the driver's management library: its version, and for each GPU the memory in use and its division. */
void describeManaged(napi_env env, Object* result) {
  Handle nvml = dlopen("libnvidia-ml.so.1", RTLD_LAZY);
  if (nvml == nullptr || call(nvml, "nvmlInit_v2") != 0) return;
  char version[96] = "";
  if (call(nvml, "nvmlSystemGetDriverVersion", &version[0], static_cast<unsigned>(sizeof(version))) == 0)
    result->set("driver", std::string(version));
  unsigned count = 0;
  call(nvml, "nvmlDeviceGetCount_v2", &count);
  napi_value boards;
  napi_create_array(env, &boards);
  for (unsigned i = 0; i < count; i++) {
    Handle device = nullptr;
    struct { unsigned long long total, free, used; } memory = {0, 0, 0};
    unsigned current = 0, pending = 0;
    if (call(nvml, "nvmlDeviceGetHandleByIndex_v2", i, &device) != 0) continue;
    call(nvml, "nvmlDeviceGetMemoryInfo", device, static_cast<void*>(&memory));
    call(nvml, "nvmlDeviceGetMigMode", device, &current, &pending);
    Object board(env);
    board.set("memory", static_cast<double>(memory.total));
    board.set("used", static_cast<double>(memory.used));
    board.set("divided", current);
    napi_set_element(env, boards, i, board.value());
  }
  result->set("boards", boards);
  call(nvml, "nvmlShutdown");
}

/** driver(): {error} where the driver's library cannot be opened; else its CUDA version, how cuInit ended, and the GPUs. */
napi_value Driver(napi_env env, napi_callback_info) {
  Object result(env);
  describeManaged(env, &result);
  Handle cuda = dlopen("libcuda.so.1", RTLD_LAZY);
  if (cuda == nullptr) {
    result.set("error", std::string(dlerror()));
    return result.value();
  }
  int version = 0;
  call(cuda, "cuDriverGetVersion", &version);
  result.set("cuda", version);
  const int status = call(cuda, "cuInit", 0u);
  result.set("status", status);
  const char* name = nullptr;
  if (status != 0 && call(cuda, "cuGetErrorName", status, &name) == 0 && name != nullptr)
    result.set("statusName", std::string(name));
  if (status == 0) result.set("devices", describeDevices(env, cuda));
  return result.value();
}

/** open(name): where a library was found, or why it cannot be opened. */
napi_value Open(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value argument;
  char name[256] = "";
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_string_utf8(env, argument, name, sizeof(name), &length);
  Object result(env);
  Handle library = dlopen(name, RTLD_LAZY);
  struct link_map* map = nullptr;
  if (library == nullptr) {
    result.set("error", std::string(dlerror()));
  } else if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0) {
    result.set("path", std::string(map->l_name));
  }
  return result.value();
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value driver, open;
  napi_create_function(env, "driver", NAPI_AUTO_LENGTH, Driver, nullptr, &driver);
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, Open, nullptr, &open);
  napi_set_named_property(env, exports, "driver", driver);
  napi_set_named_property(env, exports, "open", open);
  return exports;
}
