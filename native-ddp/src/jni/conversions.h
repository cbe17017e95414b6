#pragma once

#include <jni.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace at {
class Tensor;
}

namespace native_ddp {

std::string ToString(JNIEnv* env, jstring text);
jstring ToJava(JNIEnv* env, const std::string& text);

std::vector<std::int32_t> ToVector(JNIEnv* env, jintArray array);
std::vector<std::int64_t> ToVector(JNIEnv* env, jlongArray array);
std::vector<float> ToVector(JNIEnv* env, jfloatArray array);
jintArray ToJava(JNIEnv* env, const std::vector<std::int32_t>& values);
jdoubleArray ToJava(JNIEnv* env, const std::vector<double>& values);

/** A native object that Java owns: handles are made by Own, used by Borrow, and end with Release. */
template <class Object>
jlong Own(std::unique_ptr<Object> object) {
  return reinterpret_cast<jlong>(object.release());
}
template <class Object>
Object& Borrow(jlong handle) {
  return *reinterpret_cast<Object*>(handle);
}
template <class Object>
void Release(jlong handle) {
  delete reinterpret_cast<Object*>(handle);
}

/** The tensor behind a handle of DJL's PtNDArray. Throws std::invalid_argument, naming it as `what`, for 0. */
at::Tensor& TensorOf(jlong handle, const char* what);

/** A contiguous FP32 tensor on the CPU. */
struct Floats {
  float* data;
  std::vector<std::int64_t> shape;

  std::int64_t count() const;
};

/** Throws std::invalid_argument, naming the tensor as `what` and saying what it is, if it is anything else. */
Floats FloatsOf(jlong handle, const char* what);

/** As FloatsOf, and of this shape. */
Floats FloatsOf(jlong handle, const char* what, const std::vector<std::int64_t>& shape);

}  // namespace native_ddp
