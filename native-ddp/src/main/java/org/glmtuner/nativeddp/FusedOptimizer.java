package org.glmtuner.nativeddp;

/**
 * The optimiser's passes over whole tensors, in place, split over threads that live as long as this
 * object. Tensors are handles, contiguous FP32 on the CPU. Results are bit-identical on every
 * machine and for every number of threads, so that replicas stay equal. For one thread at a time.
 */
public final class FusedOptimizer implements AutoCloseable {
  private final NativeHandle handle;

  /**
   * @param threads the caller's own among them
   */
  public FusedOptimizer(int threads) {
    handle =
        new NativeHandle(
            this,
            "optimizer of " + threads + " threads",
            NativeMethods.openOptimizer(threads),
            NativeMethods::closeOptimizer);
  }

  /** Updates parameter and both moments; all four tensors have one shape. */
  public void adamW(
      long parameter, long gradient, long firstMoment, long secondMoment, AdamWStep step) {
    AdamWStep.AdamWSettings settings = step.settings();
    handle.run(
        address ->
            NativeMethods.adamW(
                address,
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
                step.gradientFactor()));
  }

  /** Σ x², in FP64. */
  public double squaredNorm(long tensor) {
    return handle.with(address -> NativeMethods.squaredNorm(address, tensor));
  }

  /** Sets all elements to 0. */
  public void clear(long tensor) {
    handle.run(address -> NativeMethods.clear(address, tensor));
  }

  @Override
  public void close() {
    handle.close();
  }
}
