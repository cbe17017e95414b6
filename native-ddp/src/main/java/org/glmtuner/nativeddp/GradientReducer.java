package org.glmtuner.nativeddp;

import java.util.function.LongFunction;

/**
 * Sums a gradient over all ranks, a layer's slice at a time, so that it overlaps the backward. In a
 * step every rank either passes the reducer to its last {@link NativeTransformer#forwardBackward}
 * or calls {@link #reduceAll}; then every rank calls {@link #finish}, after which the gradient is
 * the sum.
 */
public final class GradientReducer implements AutoCloseable {
  private final NativeHandle handle;

  /**
   * How long the reduction took.
   *
   * @param waitSeconds that {@link #finish} waited: what the backward did not hide, of the sums and
   *     of the coming of late ranks
   * @param reduceSeconds of the sums of all slices, each from when all ranks had come to it:
   *     without the waiting for late ones
   */
  public record Timing(double waitSeconds, double reduceSeconds) {}

  /**
   * A reducer over one gradient, for all steps.
   *
   * @param gradient handle of a contiguous FP32 tensor {@code [L, …]} on the CPU, whose memory is
   *     shared
   */
  public GradientReducer(MpiProcessGroup group, long gradient) {
    long reducer = group.with(address -> NativeMethods.openReducer(address, gradient));
    handle =
        new NativeHandle(
            this, "gradient reducer of rank " + group.rank(), reducer, NativeMethods::closeReducer);
  }

  /** Collective: the part of a rank that has no samples in the step. */
  public void reduceAll() {
    handle.run(NativeMethods::reduceAll);
  }

  /** Collective: waits until all slices are summed. The next step may use the reducer again. */
  public Timing finish() {
    double[] seconds = handle.with(NativeMethods::finishReduction);
    return new Timing(seconds[0], seconds[1]);
  }

  <T> T with(LongFunction<T> use) {
    return handle.with(use);
  }

  /** Must not be called between the start and the end of a reduction. */
  @Override
  public void close() {
    handle.close();
  }
}
