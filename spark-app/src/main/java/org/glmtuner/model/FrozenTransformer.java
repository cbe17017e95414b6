package org.glmtuner.model;

import ai.djl.ndarray.NDArray;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.glmtuner.config.EngineConfig.Isa;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.data.Sample;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.generation.SequenceModel;
import org.glmtuner.nativeddp.DecodingTokens;
import org.glmtuner.nativeddp.GradientReducer;
import org.glmtuner.nativeddp.ModelDimensions;
import org.glmtuner.nativeddp.NativeTransformer;
import org.glmtuner.nativeddp.PackedBatch;
import org.glmtuner.nativeddp.PrefixDropout;
import org.glmtuner.nativeddp.ProductTotals;
import org.glmtuner.nativeddp.WeightListener;
import org.glmtuner.wire.BaseModel;
import org.glmtuner.wire.Entry;

/**
 * The frozen base with DJL arrays at its borders. Local: no call is collective, but for the
 * all-reduces that a {@link GradientReducer} posts. For one thread at a time, except {@link
 * #progress}.
 */
public final class FrozenTransformer implements AutoCloseable {
  private final NativeTransformer nativeTransformer;
  private final ChatGlmConfig config;
  private final PlacedWeights<NativeTransformer> placed;

  private FrozenTransformer(PlacedWeights<NativeTransformer> placed, ChatGlmConfig config) {
    this.nativeTransformer = placed.opened();
    this.config = config;
    this.placed = placed;
  }

  /**
   * Maps the weight file of {@code base}, or copies it to where {@code base} says.
   *
   * @param listener hears how the weights are read, on the calling thread
   * @throws TunerException (exit code 3) if this machine refuses the instructions that {@code base}
   *     asks for, or to place the weights where they must be
   */
  public static FrozenTransformer open(
      BaseModel base, ChatGlmConfig config, WeightListener listener) {
    requireInstructions(base.isa());
    ModelDimensions dimensions =
        new ModelDimensions(
            config.numLayers(),
            config.hiddenSize(),
            config.numAttentionHeads(),
            config.innerHiddenSize(),
            config.vocabSize(),
            config.layernormEpsilon());
    return new FrozenTransformer(
        PlacedWeights.open(
            base.placement(),
            placement ->
                NativeTransformer.open(
                    Path.of(base.weightFile()),
                    placement,
                    listener,
                    dimensions,
                    base.threads(),
                    base.isa().label())),
        config);
  }

  /**
   * As {@link #open}, to train a prefix. For a projected one, {@code auto} leaves activations in
   * FP32: its first steps amplify their rounding beyond what BF16 may cost.
   */
  public static FrozenTransformer openToTrain(
      BaseModel base, ChatGlmConfig config, ChatGlmConfig.Prefix prefix, WeightListener listener) {
    if (!prefix.projection() || base.isa() != Isa.AUTO) {
      return open(base, config, listener);
    }
    Isa exact =
        Stream.of(Isa.AVX512, Isa.AVX2)
            .filter(isa -> NativeTransformer.refusal(isa.label()).isEmpty())
            .findFirst()
            .orElse(Isa.GENERIC);
    return open(base.with(exact), config, listener);
  }

  /**
   * Nothing is taken instead of what was asked for.
   *
   * @throws TunerException (exit code 3) if this machine refuses the instructions
   */
  public static void requireInstructions(Isa isa) {
    requireInstructions(isa, NativeTransformer::refusal);
  }

  static void requireInstructions(Isa isa, Function<String, Optional<String>> refusal) {
    Optional<String> reason = refusal.apply(isa.label());
    if (reason.isPresent()) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          "Cannot compute with engine.isa = "
              + isa.label()
              + ": "
              + reason.get()
              + " (auto takes the best that works)");
    }
  }

  /**
   * Forward and backward of packed entries.
   *
   * @param keysAndValues [L, 2, P, H]
   * @param gradient [L, 2, P, H]; receives, added up, each sample's gradient with its {@link
   *     #weight}
   * @param reducer is told of each layer whose slice of {@code gradient} is complete; null where
   *     more micro-batches follow
   * @return per entry the sum of its token losses
   */
  public double[] forwardBackward(
      List<Entry> entries,
      LossAverage average,
      NDArray keysAndValues,
      PrefixDropout dropout,
      NDArray gradient,
      GradientReducer reducer) {
    PackedBatch.Builder batch = PackedBatch.builder();
    entries.forEach(e -> add(batch, e.index(), e.sample(), (float) weight(e.sample(), average)));
    long prefix = Handles.of(keysAndValues);
    long gradientHandle = Handles.of(gradient);
    return reducer == null
        ? nativeTransformer.forwardBackward(batch.build(), prefix, dropout, gradientHandle)
        : nativeTransformer.forwardBackward(
            batch.build(), prefix, dropout, gradientHandle, reducer);
  }

  /**
   * Per sample the sum of its token losses, without dropout; with the base alone where {@code
   * keysAndValues} is null.
   */
  public double[] losses(List<Sample> samples, NDArray keysAndValues) {
    PackedBatch.Builder batch = PackedBatch.builder();
    samples.forEach(sample -> add(batch, 0, sample, 1));
    return nativeTransformer.losses(batch.build(), handle(keysAndValues));
  }

  /**
   * The weight of a sample's summed token losses in the sum over samples that {@code average}
   * averages.
   */
  public static double weight(Sample sample, LossAverage average) {
    return average == LossAverage.SAMPLE ? 1.0 / sample.labelCount() : 1;
  }

  /** Grows with the work done; any thread may ask. */
  public long progress() {
    return nativeTransformer.progress();
  }

  /** What the products with the weights have cost so far. */
  public ProductTotals products() {
    return nativeTransformer.products();
  }

  /** What computes, for logs and results. */
  public String kernels() {
    return nativeTransformer.kernels();
  }

  /** Where the weights are, for logs. */
  public String memory() {
    return placed.describe(nativeTransformer.weightNodes());
  }

  /**
   * The base as a model of sequences behind a prefix; of all that are made here one at a time is in
   * use, for they share the caches.
   *
   * @param keysAndValues [L, 2, P, H], which stays the caller's; null for the base alone
   */
  public SequenceModel sequences(NDArray keysAndValues) {
    SpecialIds special = config.specialIds();
    DecodingTokens tokens = new DecodingTokens(special.sop(), special.gmask(), special.mask());
    long prefix = handle(keysAndValues);
    return new SequenceModel() {
      @Override
      public int vocabulary() {
        return config.vocabSize();
      }

      @Override
      public void begin(int index, int[] prompt, int most) {
        nativeTransformer.beginSequence(index, prompt, tokens, most);
      }

      @Override
      public void append(int index, int token) {
        nativeTransformer.appendToken(index, token);
      }

      @Override
      public void run(int[] indices, float[] logits) {
        nativeTransformer.runSequences(indices, prefix, logits);
      }
    };
  }

  private static long handle(NDArray keysAndValues) {
    return keysAndValues == null ? NativeTransformer.NO_PREFIX : Handles.of(keysAndValues);
  }

  /** A sample's last position is a target only; position t is labelled by what follows it. */
  private static void add(PackedBatch.Builder batch, long index, Sample sample, float weight) {
    int inputs = sample.length() - 1;
    int[] tokens = Arrays.copyOf(sample.inputIds(), inputs);
    int[] targets = Arrays.copyOfRange(sample.labels(), 1, inputs + 1);
    batch.add(index, tokens, targets, sample.contextLength(), sample.maskPosition(), weight);
  }

  @Override
  public void close() {
    nativeTransformer.close();
  }
}
