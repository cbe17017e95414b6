#include "jni/conversions.h"
#include "jni/guard.h"
#include "process/process_control.h"

namespace native_ddp {

NATIVE_METHOD(void, dieWithParent)(JNIEnv* env, jclass, jlong expected_parent) {
  Guarded(env, [&] { DieWithParent(static_cast<pid_t>(expected_parent)); });
}

NATIVE_METHOD(jintArray, allowedCpus)(JNIEnv* env, jclass) {
  return Guarded(env, [&] { return ToJava(env, AllowedCpus()); });
}

}  // namespace native_ddp
