package org.glmtuner.optimizer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.Map;
import org.glmtuner.config.TrainingConfig;
import org.glmtuner.model.Handles;
import org.glmtuner.nativeddp.AdamWStep;
import org.glmtuner.nativeddp.AdamWStep.AdamWSettings;
import org.glmtuner.nativeddp.FusedOptimizer;

/**
 * AdamW as Hugging Face's transformers 4.27.1 has it: epsilon is added to the root of the second
 * moment before any bias correction, and decay follows the step. Works in place on arrays that it
 * does not own, but for the moments.
 *
 * <p>Every rank calls it with equal arguments and gets equal bits, whatever its threads or
 * instruction set.
 */
public final class HfAdamW implements AutoCloseable {
  /** Added to the norm where it divides, as PyTorch's clip_grad_norm_ does. */
  private static final double CLIP_EPSILON = 1e-6;

  private record Moments(NDArray first, NDArray second) {}

  private final Map<String, NDArray> parameters;
  private final Map<String, Moments> moments = new LinkedHashMap<>();
  private final TrainingConfig.Optimizer settings;
  private final FusedOptimizer passes;
  private long updates;

  /**
   * The moments start at zero and belong to {@code manager}; each has its parameter's layout.
   *
   * @param parameters by their names in a checkpoint
   */
  public HfAdamW(
      NDManager manager,
      Map<String, NDArray> parameters,
      TrainingConfig.Optimizer settings,
      int threads) {
    this.parameters = parameters;
    this.settings = settings;
    this.passes = new FusedOptimizer(threads);
    parameters.forEach(
        (name, value) ->
            moments.put(
                name,
                new Moments(manager.zeros(value.getShape()), manager.zeros(value.getShape()))));
  }

  /** Sets a gradient to 0, for the next step. */
  public void clear(NDArray gradient) {
    passes.clear(Handles.of(gradient));
  }

  /**
   * The L2 norm over all gradients, summed in a fixed order.
   *
   * @param divisor what the summed gradients have to be divided by
   */
  public double norm(Iterable<NDArray> gradients, double divisor) {
    double squares = 0;
    for (NDArray gradient : gradients) {
      squares += passes.squaredNorm(Handles.of(gradient));
    }
    return Math.sqrt(squares) / divisor;
  }

  /**
   * One update.
   *
   * @param gradients by the parameters' names, still to be divided by {@code divisor}
   * @param norm of the divided gradients
   */
  public void step(
      Map<String, NDArray> gradients, double divisor, double norm, double learningRate) {
    updates++;
    double clip =
        settings.clipNorm() == 0 ? 1 : Math.min(1, settings.clipNorm() / (norm + CLIP_EPSILON));
    parameters.forEach(
        (name, value) -> {
          boolean bias = name.endsWith("bias");
          AdamWSettings official = AdamWSettings.OFFICIAL;
          AdamWStep step =
              new AdamWStep(
                  new AdamWSettings(
                      official.beta1(),
                      official.beta2(),
                      official.epsilon(),
                      bias ? 0 : settings.weightDecay()),
                  updates,
                  learningRate,
                  clip / divisor);
          passes.adamW(
              Handles.of(value),
              Handles.of(gradients.get(name)),
              Handles.of(moments.get(name).first()),
              Handles.of(moments.get(name).second()),
              step);
        });
  }

  /** Updates done, which the bias correction counts. */
  public long updates() {
    return updates;
  }

  /** Continues after {@code done} updates; the moments are set through {@link #state}. */
  public void resume(long done) {
    updates = done;
  }

  /**
   * The moments under the names of PyTorch's optimiser: {@code <parameter>.exp_avg} and {@code
   * .exp_avg_sq}. Live arrays.
   */
  public Map<String, NDArray> state() {
    Map<String, NDArray> state = new LinkedHashMap<>();
    moments.forEach(
        (name, pair) -> {
          state.put(name + ".exp_avg", pair.first());
          state.put(name + ".exp_avg_sq", pair.second());
        });
    return state;
  }

  /** Ends the threads; the moments stay. */
  @Override
  public void close() {
    passes.close();
  }
}
