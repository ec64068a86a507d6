// The Node addon: loaded with process.dlopen after the engine, it registers the operations, and names the instruction set
// that they compute with. One translation unit for all of them, as TensorFlow's headers take ten seconds to compile.
#include <node_api.h>

#include "detection/mask-targets-op.h"
#include "detection/match-ops.h"
#include "detection/nms-op.h"
#include "detection/roi-align-ops.h"
#include "ops/affine-relu-op.h"
#include "ops/conv-filter-op.h"
#include "ops/conv-ops.h"
#include "ops/head-ops.h"
#include "ops/image-ops.h"
#include "ops/normalize-grad-op.h"
#include "ops/normalize-op.h"
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

NAPI_MODULE_INIT() {
  if (const char* error = gnbench::dispatchError()) {
    napi_throw_error(env, "GNBENCH_ISA", error);
    return nullptr;
  }
  napi_value function;
  if (!ok(env, napi_create_function(env, "instructionSet", NAPI_AUTO_LENGTH, InstructionSet, nullptr, &function),
          "instructionSet cannot be made") ||
      !ok(env, napi_set_named_property(env, exports, "instructionSet", function), "instructionSet cannot be exported"))
    return nullptr;
  return exports;
}
