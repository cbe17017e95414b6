#include "jni/conversions.h"
#include "jni/guard.h"
#include "memory/numa.h"
#include "process/process_control.h"

namespace native_ddp {

NATIVE_METHOD(void, dieWithParent)(JNIEnv* env, jclass, jlong expected_parent) {
  Guarded(env, [&] { DieWithParent(static_cast<pid_t>(expected_parent)); });
}

NATIVE_METHOD(jintArray, allowedCpus)(JNIEnv* env, jclass) {
  return Guarded(env, [&] { return ToJava(env, AllowedCpus()); });
}

NATIVE_METHOD(void, preferMemoryOf)(JNIEnv* env, jclass, jint node) {
  Guarded(env, [&] { PreferMemoryOf(node); });
}

}  // namespace native_ddp
