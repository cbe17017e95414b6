#include "jni/conversions.h"

#include <functional>
#include <numeric>

#include "jni/guard.h"

namespace native_ddp {
namespace {

template <class Element, class Array, class Get>
std::vector<Element> Copy(JNIEnv* env, Array array, const char* what, const Get& get) {
  if (array == nullptr) throw std::invalid_argument(std::string("Invalid ") + what + ": null");
  std::vector<Element> values(static_cast<std::size_t>(env->GetArrayLength(array)));
  get(values);
  return values;
}

template <class Array>
Array Made(Array array) {
  if (array == nullptr) throw JavaExceptionPending();
  return array;
}

}  // namespace

void ThrowInJava(JNIEnv* env, const char* exception_class, const char* message) {
  if (env->ExceptionCheck() != JNI_FALSE) return;
  jclass type = env->FindClass(exception_class);
  if (type != nullptr) env->ThrowNew(type, message);
}

std::string ToString(JNIEnv* env, jstring text) {
  if (text == nullptr) throw std::invalid_argument("Invalid string: null");
  const char* characters = env->GetStringUTFChars(text, nullptr);
  if (characters == nullptr) throw JavaExceptionPending();
  std::string copy(characters);
  env->ReleaseStringUTFChars(text, characters);
  return copy;
}

jstring ToJava(JNIEnv* env, const std::string& text) { return Made(env->NewStringUTF(text.c_str())); }

std::vector<std::int32_t> ToVector(JNIEnv* env, jintArray array) {
  return Copy<std::int32_t>(env, array, "array of int", [&](std::vector<std::int32_t>& values) {
    env->GetIntArrayRegion(array, 0, static_cast<jsize>(values.size()), values.data());
  });
}

std::vector<std::int64_t> ToVector(JNIEnv* env, jlongArray array) {
  return Copy<std::int64_t>(env, array, "array of long", [&](std::vector<std::int64_t>& values) {
    env->GetLongArrayRegion(array, 0, static_cast<jsize>(values.size()), values.data());
  });
}

std::vector<float> ToVector(JNIEnv* env, jfloatArray array) {
  return Copy<float>(env, array, "array of float", [&](std::vector<float>& values) {
    env->GetFloatArrayRegion(array, 0, static_cast<jsize>(values.size()), values.data());
  });
}

jintArray ToJava(JNIEnv* env, const std::vector<std::int32_t>& values) {
  jintArray array = Made(env->NewIntArray(static_cast<jsize>(values.size())));
  env->SetIntArrayRegion(array, 0, static_cast<jsize>(values.size()), values.data());
  return array;
}

jdoubleArray ToJava(JNIEnv* env, const std::vector<double>& values) {
  jdoubleArray array = Made(env->NewDoubleArray(static_cast<jsize>(values.size())));
  env->SetDoubleArrayRegion(array, 0, static_cast<jsize>(values.size()), values.data());
  return array;
}

std::int64_t Floats::count() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace native_ddp
