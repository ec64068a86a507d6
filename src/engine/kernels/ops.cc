// The Node addon: loaded with process.dlopen after the engine, it registers the operations, and names the instruction set
// that they compute with. One translation unit for all of them, as TensorFlow's headers take ten seconds to compile.
#include <node_api.h>

#include "detection/decode-op.h"
#include "detection/loss-ops.h"
#include "detection/mask-targets-op.h"
#include "detection/match-ops.h"
#include "detection/nms-op.h"
#include "detection/roi-align-ops.h"
#include "detection/top-boxes-op.h"
#include "ops/affine-relu-op.h"
#include "ops/conv-filter-op.h"
#include "ops/conv-ops.h"
#include "ops/head-ops.h"
#include "ops/image-ops.h"
#include "ops/normalize-grad-op.h"
#include "ops/normalize-op.h"
#include "ops/pool-ops.h"
#include "ops/rectify-op.h"
#include "ops/update-ops.h"

/** Throws `message` in JavaScript unless the call before it went well; true if it did. */
static bool ok(napi_env env, napi_status status, const char* message) {
  if (status != napi_ok) napi_throw_error(env, nullptr, message);
  return status == napi_ok;
}

/** instructionSet(bfloat16: boolean): the name of the instruction set that convolves in that precision. */
static napi_value InstructionSet(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, name;
  bool bfloat16 = false;
  if (!ok(env, napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr), "the arguments cannot be read") ||
      !ok(env, napi_get_value_bool(env, argument, &bfloat16), "instructionSet(bfloat16) takes a boolean"))
    return nullptr;
  const gnbench::PairLoops* pairs = bfloat16 ? gnbench::pairLoops() : nullptr;
  const char* text = pairs ? pairs->name : gnbench::loops().name;
  return ok(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &name), "the name cannot be made") ? name : nullptr;
}

/** timeOperations(true) begins to time operations; timeOperations(false) ends it and gives {node: [runs, seconds]}. */
static napi_value TimeOperations(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, result;
  bool begin = false;
  if (!ok(env, napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr), "the arguments cannot be read") ||
      !ok(env, napi_get_value_bool(env, argument, &begin), "timeOperations(begin) takes a boolean") ||
      !ok(env, napi_create_object(env, &result), "the times cannot be made"))
    return nullptr;
  if (begin) {
    gnbench::OperationTimes::get().start();
    return result;
  }
  for (const auto& [name, time] : gnbench::OperationTimes::get().stop()) {
    napi_value pair, runs, seconds;
    if (!ok(env, napi_create_array_with_length(env, 2, &pair), "the times cannot be made") ||
        !ok(env, napi_create_double(env, static_cast<double>(time.runs), &runs), "the times cannot be made") ||
        !ok(env, napi_create_double(env, time.seconds, &seconds), "the times cannot be made") ||
        !ok(env, napi_set_element(env, pair, 0, runs), "the times cannot be made") ||
        !ok(env, napi_set_element(env, pair, 1, seconds), "the times cannot be made") ||
        !ok(env, napi_set_named_property(env, result, name.c_str(), pair), "the times cannot be made"))
      return nullptr;
  }
  return result;
}

static bool exportFunction(napi_env env, napi_value exports, const char* name, napi_callback call) {
  napi_value function;
  return ok(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function), "a function cannot be made") &&
         ok(env, napi_set_named_property(env, exports, name, function), "a function cannot be exported");
}

NAPI_MODULE_INIT() {
  if (const char* error = gnbench::dispatchError()) {
    napi_throw_error(env, "GNBENCH_ISA", error);
    return nullptr;
  }
  if (!exportFunction(env, exports, "instructionSet", InstructionSet) ||
      !exportFunction(env, exports, "timeOperations", TimeOperations))
    return nullptr;
  return exports;
}
