#pragma once

#include <jni.h>

#include <exception>
#include <stdexcept>

#include "memory/numa.h"

namespace native_ddp {

/** A Java exception is pending already; nothing is to be added to it. */
struct JavaExceptionPending final : std::exception {};

/** Throws an exception of that class in Java with the message, unless one is pending. */
void ThrowInJava(JNIEnv* env, const char* exception_class, const char* message);

/**
 * Runs the body of a native method: no C++ exception crosses into Java. std::invalid_argument becomes
 * IllegalArgumentException, PlacementRefused the Java exception of that name, which is an IllegalStateException as is
 * everything else; then a value-initialised result is returned.
 */
template <class Body>
auto Guarded(JNIEnv* env, const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const JavaExceptionPending&) {
  } catch (const std::invalid_argument& error) {
    ThrowInJava(env, "java/lang/IllegalArgumentException", error.what());
  } catch (const PlacementRefused& error) {
    ThrowInJava(env, "org/glmtuner/nativeddp/PlacementRefusedException", error.what());
  } catch (const std::exception& error) {
    ThrowInJava(env, "java/lang/IllegalStateException", error.what());
  } catch (...) {
    ThrowInJava(env, "java/lang/IllegalStateException", "Cannot continue: unknown native exception");
  }
  return decltype(body())();
}

}  // namespace native_ddp

/** The native method org.glmtuner.nativeddp.NativeMethods.NAME. */
#define NATIVE_METHOD(RESULT, NAME) extern "C" JNIEXPORT RESULT JNICALL Java_org_glmtuner_nativeddp_NativeMethods_##NAME
