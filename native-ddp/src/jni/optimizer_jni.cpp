#include "jni/conversions.h"
#include "jni/guard.h"
#include "optimizer/adamw.h"
#include "optimizer/reductions.h"

namespace native_ddp {

NATIVE_METHOD(jlong, openOptimizer)(JNIEnv* env, jclass, jint threads) {
  return Guarded(env, [&] { return Own(std::make_unique<ThreadPool>(threads)); });
}

NATIVE_METHOD(void, closeOptimizer)(JNIEnv*, jclass, jlong optimizer) { Release<ThreadPool>(optimizer); }

NATIVE_METHOD(void, adamW)
(JNIEnv* env, jclass, jlong optimizer, jlong parameter, jlong gradient, jlong m, jlong v, jdouble learning_rate,
 jdouble beta1, jdouble beta2, jdouble epsilon, jdouble weight_decay, jlong step, jdouble gradient_factor) {
  Guarded(env, [&] {
    const Floats parameters = FloatsOf(parameter, "parameter");
    AdamW(parameters.count(), {learning_rate, beta1, beta2, epsilon, weight_decay, step, gradient_factor},
          FloatsOf(gradient, "gradient", parameters.shape).data, parameters.data,
          FloatsOf(m, "first moment", parameters.shape).data, FloatsOf(v, "second moment", parameters.shape).data,
          Borrow<ThreadPool>(optimizer));
  });
}

NATIVE_METHOD(jdouble, squaredNorm)(JNIEnv* env, jclass, jlong optimizer, jlong tensor) {
  return Guarded(env, [&] {
    const Floats floats = FloatsOf(tensor, "tensor");
    return SquaredNorm(floats.count(), floats.data, Borrow<ThreadPool>(optimizer));
  });
}

NATIVE_METHOD(void, clear)(JNIEnv* env, jclass, jlong optimizer, jlong tensor) {
  Guarded(env, [&] {
    const Floats floats = FloatsOf(tensor, "tensor");
    Clear(floats.count(), floats.data, Borrow<ThreadPool>(optimizer));
  });
}

}  // namespace native_ddp
