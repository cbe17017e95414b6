#include <functional>
#include <memory>

#include "jni/conversions.h"
#include "jni/guard.h"
#include "message.h"
#include "process_group/gradient_reducer.h"
#include "transformer/frozen_transformer.h"
#include "weights/safetensors_file.h"

namespace native_ddp {
namespace {

/** The prefix [L, 2, P, H] behind a handle, or none for 0. */
Prefix ToPrefix(jlong handle, const ModelDimensions& size) {
  if (handle == 0) return {};
  const Floats floats = FloatsOf(handle, "prefix");
  const std::vector<std::int64_t>& shape = floats.shape;
  if (shape.size() != 4 || shape[0] != size.layers || shape[1] != 2 || shape[2] < 1 || shape[3] != size.hidden) {
    throw std::invalid_argument(Message("Invalid prefix: ", ShapeText(shape), " (must have the shape [", size.layers,
                                        ", 2, prefix length, ", size.hidden, "])"));
  }
  return {floats.data, static_cast<int>(shape[2])};
}

PackedBatch ToBatch(JNIEnv* env, jintArray tokens, jintArray targets, jlongArray entries, jintArray shapes,
                    jfloatArray weights) {
  PackedBatch batch{ToVector(env, tokens), ToVector(env, targets), {}};
  const std::vector<std::int64_t> entry = ToVector(env, entries);
  const std::vector<std::int32_t> shape = ToVector(env, shapes);  // length, context length, mask position of each
  const std::vector<float> weight = ToVector(env, weights);
  if (shape.size() != 3 * entry.size() || weight.size() != entry.size()) {
    throw std::invalid_argument(Message("Invalid batch: ", entry.size(), " entries, ", shape.size(), " shapes and ",
                                        weight.size(), " weights (must be n, 3n and n)"));
  }
  int begin = 0;
  for (std::size_t i = 0; i < entry.size(); ++i) {
    batch.samples.push_back({entry[i], weight[i], begin, shape[3 * i], shape[3 * i + 1], shape[3 * i + 2]});
    begin += shape[3 * i];
  }
  return batch;
}

/** A WeightListener of Java. What it throws ends the reading. */
class JavaWeightListener final : public WeightListener {
 public:
  JavaWeightListener(JNIEnv* env, jobject listener) : env_(env), listener_(listener) {
    if (listener == nullptr) throw std::invalid_argument("Invalid listener: null");
    jclass type = env->GetObjectClass(listener);
    read_ = env->GetMethodID(type, "read", "(J)V");
    waiting_ = env->GetMethodID(type, "waiting", "(Z)V");
    if (read_ == nullptr || waiting_ == nullptr) throw JavaExceptionPending();
  }

  void Read(std::size_t bytes) override {
    env_->CallVoidMethod(listener_, read_, static_cast<jlong>(bytes));
    if (env_->ExceptionCheck() != JNI_FALSE) throw JavaExceptionPending();
  }

  void Waiting(bool waits) override {
    env_->CallVoidMethod(listener_, waiting_, static_cast<jboolean>(waits));
    if (env_->ExceptionCheck() != JNI_FALSE) throw JavaExceptionPending();
  }

 private:
  JNIEnv* env_;
  jobject listener_;
  jmethodID read_;
  jmethodID waiting_;
};

}  // namespace

NATIVE_METHOD(jlong, openTransformer)
(JNIEnv* env, jclass, jstring weight_file, jintArray nodes, jboolean shared, jobject listener, jint layers, jint hidden,
 jint heads, jint inner, jint vocabulary, jdouble layer_norm_epsilon, jint threads, jstring instructions) {
  return Guarded(env, [&] {
    JavaWeightListener hears(env, listener);
    WeightSource source(ToString(env, weight_file), ToVector(env, nodes), shared == JNI_TRUE);
    source.listener = &hears;
    return Own(std::make_unique<FrozenTransformer>(
        source, ModelDimensions{layers, hidden, heads, inner, vocabulary, layer_norm_epsilon}, threads,
        InstructionSetNamed(ToString(env, instructions))));
  });
}

NATIVE_METHOD(void, closeTransformer)(JNIEnv*, jclass, jlong transformer) { Release<FrozenTransformer>(transformer); }

NATIVE_METHOD(jdoubleArray, forwardBackward)
(JNIEnv* env, jclass, jlong handle, jintArray tokens, jintArray targets, jlongArray entries, jintArray shapes,
 jfloatArray weights, jlong prefix, jdouble dropout_rate, jlong dropout_seed, jlong gradient, jlong reducer) {
  return Guarded(env, [&] {
    auto& transformer = Borrow<FrozenTransformer>(handle);
    const ModelDimensions& size = transformer.dimensions();
    const Prefix trained = ToPrefix(prefix, size);
    const Floats gradients = FloatsOf(gradient, "prefix gradient", {size.layers, 2, trained.length, size.hidden});
    const auto layer_finished = [reducer](int layer) {
      if (reducer != 0) Borrow<GradientReducer>(reducer).LayerReady(layer);
    };
    return ToJava(env, transformer.ForwardBackward(ToBatch(env, tokens, targets, entries, shapes, weights), trained,
                                                   {dropout_rate, static_cast<std::uint64_t>(dropout_seed)},
                                                   gradients.data, layer_finished));
  });
}

NATIVE_METHOD(jdoubleArray, losses)
(JNIEnv* env, jclass, jlong handle, jintArray tokens, jintArray targets, jlongArray entries, jintArray shapes,
 jfloatArray weights, jlong prefix) {
  return Guarded(env, [&] {
    auto& transformer = Borrow<FrozenTransformer>(handle);
    return ToJava(env, transformer.Losses(ToBatch(env, tokens, targets, entries, shapes, weights),
                                          ToPrefix(prefix, transformer.dimensions())));
  });
}

NATIVE_METHOD(void, beginSequence)
(JNIEnv* env, jclass, jlong handle, jint index, jintArray prompt, jint start, jint gmask, jint mask, jint most) {
  Guarded(env, [&] {
    Borrow<FrozenTransformer>(handle).decoder().Begin(index, ToVector(env, prompt), {start, gmask, mask}, most);
  });
}

NATIVE_METHOD(void, appendToken)(JNIEnv* env, jclass, jlong handle, jint index, jint token) {
  Guarded(env, [&] { Borrow<FrozenTransformer>(handle).decoder().Append(index, token); });
}

NATIVE_METHOD(void, runSequences)
(JNIEnv* env, jclass, jlong handle, jintArray indices, jlong prefix, jfloatArray logits) {
  Guarded(env, [&] {
    auto& transformer = Borrow<FrozenTransformer>(handle);
    const std::vector<std::int32_t> sequences = ToVector(env, indices);
    const std::int64_t needed = static_cast<std::int64_t>(sequences.size()) * transformer.dimensions().vocabulary;
    if (logits == nullptr || env->GetArrayLength(logits) < needed) {
      throw std::invalid_argument(Message("Invalid logits: no array of ", needed, " floats"));
    }
    const float* computed = transformer.decoder().Run(sequences, ToPrefix(prefix, transformer.dimensions()));
    env->SetFloatArrayRegion(logits, 0, static_cast<jsize>(needed), computed);
  });
}

NATIVE_METHOD(jlong, progress)(JNIEnv*, jclass, jlong transformer) {
  return static_cast<jlong>(Borrow<FrozenTransformer>(transformer).progress());
}

NATIVE_METHOD(jdoubleArray, products)(JNIEnv* env, jclass, jlong transformer) {
  return Guarded(env, [&] {
    const ProductTotals& totals = Borrow<FrozenTransformer>(transformer).products();
    return ToJava(env, std::vector<double>{totals.seconds, totals.operations});
  });
}

NATIVE_METHOD(jstring, refusal)(JNIEnv* env, jclass, jstring instructions) {
  return Guarded(env, [&] { return ToJava(env, Refusal(InstructionSetNamed(ToString(env, instructions)))); });
}

NATIVE_METHOD(jstring, kernels)(JNIEnv* env, jclass, jlong transformer) {
  return Guarded(env, [&] { return ToJava(env, Borrow<FrozenTransformer>(transformer).kernels()); });
}

NATIVE_METHOD(jintArray, weightNodes)(JNIEnv* env, jclass, jlong transformer) {
  return Guarded(env, [&] { return ToJava(env, Borrow<FrozenTransformer>(transformer).weights().SampledNodes()); });
}

NATIVE_METHOD(void, dropoutMask)
(JNIEnv* env, jclass, jdouble rate, jlong seed, jlong entry, jlong mask) {
  Guarded(env, [&] {
    const PrefixDropout dropout{rate, static_cast<std::uint64_t>(seed)};
    dropout.Validate();
    const Floats floats = FloatsOf(mask, "dropout mask");
    if (floats.shape.size() != 4 || floats.shape[1] != 2) {
      throw std::invalid_argument("Invalid dropout mask: its shape (must be [layers, 2, prefix length, hidden])");
    }
    const std::int64_t elements = floats.shape[2] * floats.shape[3];
    std::vector<std::uint64_t> bits(static_cast<std::size_t>(MaskWords(elements)));
    float* to = floats.data;
    for (int slab = 0; slab < static_cast<int>(2 * floats.shape[0]); ++slab) {
      WriteMask(dropout, entry, slab / 2, slab % 2, elements, bits.data());
      for (std::int64_t n = 0; n < elements; ++n) {
        *to++ = (bits[static_cast<std::size_t>(n / 64)] >> (n % 64) & 1) != 0 ? 1.0F : 0.0F;
      }
    }
  });
}

}  // namespace native_ddp
