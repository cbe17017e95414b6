package org.glmtuner.reference;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.glmtuner.config.EngineConfig.Isa;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.data.Sample;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.model.OfficialWeights;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.model.WeightCache;
import org.glmtuner.nativeddp.PrefixDropout;
import org.glmtuner.nativeddp.WeightListener;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.storage.LocalFolder;
import org.glmtuner.wire.BaseModel;
import org.glmtuner.wire.Entry;

/** A model directory as the oracle sees it and as ranks do. */
final class BothModels implements AutoCloseable {

  /**
   * What one forward and backward gives.
   *
   * @param losses per sample, the sum of its token losses
   * @param gradient of the prefix's keys and values, [L, 2, P, H]
   */
  record Result(double[] losses, float[] gradient) {}

  private final NDManager manager;
  private final ChatGlmConfig config;
  private final ReferenceModel reference;
  private final FrozenTransformer transformer;

  private BothModels(
      NDManager manager,
      ChatGlmConfig config,
      ReferenceModel reference,
      FrozenTransformer transformer) {
    this.manager = manager;
    this.config = config;
    this.reference = reference;
    this.transformer = transformer;
  }

  /**
   * @param cache for the weight file
   */
  static BothModels open(Path model, Precision precision, Path cache)
      throws IOException, InterruptedException {
    return open(model, precision, Isa.AUTO, cache);
  }

  /**
   * @param isa what native products use
   * @param cache for the weight file
   */
  static BothModels open(Path model, Precision precision, Isa isa, Path cache)
      throws IOException, InterruptedException {
    NDManager manager = NativeCode.load().newBaseManager();
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(model))) {
      ChatGlmConfig config = weights.config();
      Path file = WeightCache.provide(weights, precision, cache, ProgressListener.NONE);
      String json = new String(config.toJson(), StandardCharsets.UTF_8);
      return new BothModels(
          manager,
          config,
          new ReferenceModel(config, ReferenceWeights.readModel(model, manager)),
          FrozenTransformer.open(
              new BaseModel(file.toString(), "", json, 1, isa, RankPlacement.MAPPED),
              config,
              WeightListener.NONE));
    }
  }

  NDManager manager() {
    return manager;
  }

  ChatGlmConfig config() {
    return config;
  }

  /** Losses of the base alone, by the oracle and by the native code. */
  List<double[]> baseLosses(List<Sample> samples) {
    try (NDManager scope = manager.newSubManager()) {
      return List.of(
          doubles(reference.losses(samples, null, scope)), transformer.losses(samples, null));
    }
  }

  /**
   * By the oracle; the gradient is that of the weighted sum of losses, as native code gives it.
   *
   * @param masks per sample what its prefix is multiplied by, [B, L, 2, P, H]; null for none
   */
  Result reference(
      List<Sample> samples, NDArray keysAndValues, NDArray masks, LossAverage average) {
    try (NDManager scope = manager.newSubManager()) {
      NDArray prefix = keysAndValues.duplicate();
      prefix.attach(scope);
      prefix.setRequiresGradient(true);
      try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        NDArray own = masks == null ? prefix : masks.mul(prefix.expandDims(0));
        NDArray losses = reference.losses(samples, own, scope);
        collector.backward(losses.mul(scope.create(weights(samples, average))).sum());
        return new Result(doubles(losses), prefix.getGradient().toFloatArray());
      }
    }
  }

  /** What the official code computes of an encoder; gradients in the official layout. */
  record Encoded(double[] losses, Map<String, float[]> gradients) {}

  /**
   * By the oracle; the gradients of the encoder's parameters are those of the weighted sum of
   * losses, found by autograd.
   */
  Encoded reference(List<Sample> samples, PrefixEncoder encoder, LossAverage average) {
    try (NDManager scope = manager.newSubManager()) {
      Map<String, NDArray> parameters = new LinkedHashMap<>();
      encoder
          .parameters()
          .forEach(
              (name, value) -> {
                NDArray copy = encoder.official(value, scope);
                copy.setRequiresGradient(true);
                parameters.put(name, copy);
              });
      try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        NDArray prefix = ReferenceEncoder.keysAndValues(parameters, config);
        NDArray losses = reference.losses(samples, prefix, scope);
        collector.backward(losses.mul(scope.create(weights(samples, average))).sum());
        Map<String, float[]> gradients = new LinkedHashMap<>();
        parameters.forEach((name, p) -> gradients.put(name, p.getGradient().toFloatArray()));
        return new Encoded(doubles(losses), gradients);
      }
    }
  }

  /** As {@link #reference(List, PrefixEncoder, LossAverage)}, by what ranks run. */
  Encoded natively(List<Sample> samples, PrefixEncoder encoder, LossAverage average) {
    try (NDManager scope = manager.newSubManager()) {
      NDArray prefix = encoder.keysAndValues(scope);
      Result result = natively(samples, prefix, PrefixDropout.NONE, average);
      NDArray gradient = scope.create(result.gradient(), prefix.getShape());
      Map<String, float[]> gradients = new LinkedHashMap<>();
      encoder
          .gradients(gradient)
          .forEach((name, g) -> gradients.put(name, encoder.official(g, scope).toFloatArray()));
      return new Encoded(result.losses(), gradients);
    }
  }

  /** What the oracle computes on the way to its losses. */
  ReferenceModel oracle() {
    return reference;
  }

  private static float[] weights(List<Sample> samples, LossAverage average) {
    float[] weights = new float[samples.size()];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) FrozenTransformer.weight(samples.get(i), average);
    }
    return weights;
  }

  /** By the native code; sample i of the list is entry i of the run. */
  Result natively(
      List<Sample> samples, NDArray keysAndValues, PrefixDropout dropout, LossAverage average) {
    return natively(
        keysAndValues,
        IntStream.range(0, samples.size()).mapToObj(i -> new Entry(i, samples.get(i))).toList(),
        dropout,
        average);
  }

  /** By the native code in one micro-batch. */
  Result natively(
      NDArray keysAndValues, List<Entry> entries, PrefixDropout dropout, LossAverage average) {
    try (NDArray gradient = manager.zeros(keysAndValues.getShape())) {
      double[] losses =
          transformer.forwardBackward(entries, average, keysAndValues, dropout, gradient, null);
      return new Result(losses, gradient.toFloatArray());
    }
  }

  private static double[] doubles(NDArray array) {
    float[] values = array.toFloatArray();
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
  }

  @Override
  public void close() {
    transformer.close();
    manager.close();
  }
}
