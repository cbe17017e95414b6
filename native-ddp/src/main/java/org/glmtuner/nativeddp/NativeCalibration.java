package org.glmtuner.nativeddp;

/**
 * Measures what this process's CPUs and memory do for a {@link NativeTransformer}, without a model:
 * products of the sizes of ChatGLM-6B and reading weights that no cache holds. Owns threads and 0.4
 * GB. {@link #progress} answers from any thread meanwhile.
 */
public final class NativeCalibration implements AutoCloseable {
  private final NativeHandle handle;

  private NativeCalibration(long address) {
    handle = new NativeHandle(this, "calibration", address, NativeMethods::closeCalibration);
  }

  /**
   * Starts the threads and fills the memory.
   *
   * @param threads that compute, the caller's own among them
   * @param instructions as {@link NativeTransformer#open} takes them
   * @throws IllegalStateException if this machine {@linkplain NativeTransformer#refusal refuses}
   *     the instructions
   */
  public static NativeCalibration open(int threads, String instructions) {
    return new NativeCalibration(NativeMethods.openCalibration(threads, instructions));
  }

  /**
   * Measures with all threads.
   *
   * @param seconds that it takes, half of them for either rate; a little more where a product is
   *     slow
   */
  public synchronized CalibrationRates measure(double seconds) {
    double[] rates = handle.with(address -> NativeMethods.measureRates(address, seconds));
    return new CalibrationRates(rates[0], rates[1]);
  }

  /** What multiplies matrices, as {@link NativeTransformer#kernels}. */
  public String kernels() {
    return handle.with(NativeMethods::calibratedKernels);
  }

  /** A number that grows while anything is measured. */
  public long progress() {
    return handle.with(NativeMethods::calibrationProgress);
  }

  @Override
  public void close() {
    handle.close();
  }
}
