#include "jni/conversions.h"
#include "jni/guard.h"
#include "process_group/gradient_reducer.h"
#include "process_group/mpi_group.h"

namespace native_ddp {
namespace {

// Shared with the reducers that work over it, which may be closed after it.
using GroupHandle = std::shared_ptr<MpiGroup>;

MpiGroup& Group(jlong handle) { return *Borrow<GroupHandle>(handle); }

}  // namespace

NATIVE_METHOD(jlong, joinGroup)
(JNIEnv* env, jclass, jstring library, jstring pmi_socket, jint rank, jint world_size) {
  return Guarded(env, [&] {
    return Own(std::make_unique<GroupHandle>(
        std::make_shared<MpiGroup>(ToString(env, library), ToString(env, pmi_socket), rank, world_size)));
  });
}

NATIVE_METHOD(void, closeGroup)(JNIEnv* env, jclass, jlong group) {
  Guarded(env, [&] {
    Group(group).Close();
    Release<GroupHandle>(group);
  });
}

NATIVE_METHOD(jstring, libraryVersion)(JNIEnv* env, jclass, jlong group) {
  return Guarded(env, [&] { return ToJava(env, Group(group).library_version()); });
}

NATIVE_METHOD(void, allReduceSum)(JNIEnv* env, jclass, jlong group, jlong tensor) {
  Guarded(env, [&] { Group(group).AllReduce(TensorOf(tensor, "tensor to all-reduce"), Reduction::kSum); });
}

NATIVE_METHOD(void, allReduceMax)(JNIEnv* env, jclass, jlong group, jlong tensor) {
  Guarded(env, [&] { Group(group).AllReduce(TensorOf(tensor, "tensor to all-reduce"), Reduction::kMaximum); });
}

NATIVE_METHOD(void, broadcast)(JNIEnv* env, jclass, jlong group, jlong tensor, jint root) {
  Guarded(env, [&] { Group(group).Broadcast(TensorOf(tensor, "tensor to broadcast"), root); });
}

NATIVE_METHOD(void, barrier)(JNIEnv* env, jclass, jlong group) {
  Guarded(env, [&] { Group(group).Barrier(); });
}

NATIVE_METHOD(jlong, openReducer)(JNIEnv* env, jclass, jlong group, jlong gradient) {
  return Guarded(env, [&] {
    return Own(std::make_unique<GradientReducer>(Borrow<GroupHandle>(group), TensorOf(gradient, "gradient")));
  });
}

NATIVE_METHOD(void, closeReducer)(JNIEnv*, jclass, jlong reducer) { Release<GradientReducer>(reducer); }

NATIVE_METHOD(void, reduceAll)(JNIEnv* env, jclass, jlong reducer) {
  Guarded(env, [&] { Borrow<GradientReducer>(reducer).ReduceAll(); });
}

NATIVE_METHOD(jdoubleArray, finishReduction)(JNIEnv* env, jclass, jlong reducer) {
  return Guarded(env, [&] {
    const GradientReducer::Timing timing = Borrow<GradientReducer>(reducer).Finish();
    return ToJava(env, std::vector<double>{timing.wait_seconds, timing.reduce_seconds});
  });
}

}  // namespace native_ddp
