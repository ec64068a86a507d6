// The Node addon: loaded with process.dlopen after the engine, it registers the operations, and says what they compute
// with. One translation unit for all of them, as TensorFlow's headers take ten seconds to compile.
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

/** instructionSet(bfloat16: boolean): the name of what the convolutions of that precision are compiled for. */
static napi_value InstructionSet(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, name;
  bool bfloat16 = false;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_bool(env, argument, &bfloat16);
  const gnbench::PairLoops* pairs = bfloat16 ? gnbench::pairLoops() : nullptr;
  napi_create_string_utf8(env, pairs ? pairs->name : gnbench::loops().name, NAPI_AUTO_LENGTH, &name);
  return name;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "instructionSet", NAPI_AUTO_LENGTH, InstructionSet, nullptr, &function);
  napi_set_named_property(env, exports, "instructionSet", function);
  return exports;
}
