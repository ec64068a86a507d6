// The Node addon: loaded with process.dlopen after the engine, it registers the operations and does nothing else. One
// translation unit for all of them, as TensorFlow's headers take ten seconds to compile.
#include <node_api.h>

#include "affine-relu-op.h"
#include "conv-filter-op.h"
#include "conv-ops.h"
#include "head-ops.h"
#include "image-ops.h"
#include "normalize-grad-op.h"
#include "normalize-op.h"
#include "rectify-op.h"
#include "update-ops.h"

NAPI_MODULE_INIT() {
  (void)env;
  return exports;
}
