package org.glmtuner.nativeddp;

/**
 * The optimiser's passes over whole tensors, in place. Tensors are handles, contiguous FP32 on the
 * CPU. Results are bit-identical on every machine and for every number of threads, so that replicas
 * stay equal.
 */
public final class FusedOptimizer {
  private FusedOptimizer() {}

  /** Updates parameter and both moments; all four tensors have one shape. */
  public static void adamW(
      long parameter,
      long gradient,
      long firstMoment,
      long secondMoment,
      AdamWStep step,
      int threads) {
    AdamWStep.AdamWSettings settings = step.settings();
    NativeMethods.adamW(
        parameter,
        gradient,
        firstMoment,
        secondMoment,
        step.learningRate(),
        settings.beta1(),
        settings.beta2(),
        settings.epsilon(),
        settings.weightDecay(),
        step.number(),
        step.gradientFactor(),
        threads);
  }

  /** Σ x², in FP64. */
  public static double squaredNorm(long tensor, int threads) {
    return NativeMethods.squaredNorm(tensor, threads);
  }

  /** How many elements are infinite or NaN. */
  public static long countNonFinite(long tensor) {
    return NativeMethods.countNonFinite(tensor);
  }
}
