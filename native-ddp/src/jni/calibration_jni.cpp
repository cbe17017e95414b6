#include <memory>
#include <vector>

#include "calibration/calibration.h"
#include "jni/conversions.h"
#include "jni/guard.h"

namespace native_ddp {

NATIVE_METHOD(jlong, openCalibration)(JNIEnv* env, jclass, jint threads, jstring instructions) {
  return Guarded(env, [&] {
    return Own(
        std::make_unique<Calibration>(threads, InstructionSetNamed(ToString(env, instructions)), Calibration::Size{}));
  });
}

NATIVE_METHOD(void, closeCalibration)(JNIEnv*, jclass, jlong calibration) { Release<Calibration>(calibration); }

NATIVE_METHOD(jdoubleArray, measureRates)(JNIEnv* env, jclass, jlong calibration, jdouble seconds) {
  return Guarded(env, [&] {
    const Rates rates = Borrow<Calibration>(calibration).Measure(seconds);
    return ToJava(env, std::vector<double>{rates.operations_per_second, rates.bytes_per_second});
  });
}

NATIVE_METHOD(jstring, calibratedKernels)(JNIEnv* env, jclass, jlong calibration) {
  return Guarded(env, [&] { return ToJava(env, Borrow<Calibration>(calibration).kernels()); });
}

NATIVE_METHOD(jlong, calibrationProgress)(JNIEnv*, jclass, jlong calibration) {
  return static_cast<jlong>(Borrow<Calibration>(calibration).progress());
}

}  // namespace native_ddp
