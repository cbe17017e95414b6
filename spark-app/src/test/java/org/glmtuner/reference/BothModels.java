package org.glmtuner.reference;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.data.Sample;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.model.OfficialWeights;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.model.WeightCache;
import org.glmtuner.nativeddp.PrefixDropout;
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
    NDManager manager = NativeCode.load().newBaseManager();
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(model))) {
      ChatGlmConfig config = weights.config();
      Path file = WeightCache.provide(weights, precision, cache, ProgressListener.NONE);
      String json = new String(config.toJson(), StandardCharsets.UTF_8);
      return new BothModels(
          manager,
          config,
          new ReferenceModel(
              config, ReferenceWeights.read(model.resolve("pytorch_model.bin"), manager)),
          FrozenTransformer.open(new BaseModel(file.toString(), "", json, 1), config));
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
      float[] weights = new float[samples.size()];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) FrozenTransformer.weight(samples.get(i), average);
      }
      try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        NDArray own = masks == null ? prefix : masks.mul(prefix.expandDims(0));
        NDArray losses = reference.losses(samples, own, scope);
        collector.backward(losses.mul(scope.create(weights)).sum());
        return new Result(doubles(losses), prefix.getGradient().toFloatArray());
      }
    }
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
