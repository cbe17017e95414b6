package org.glmtuner.nativeddp;

/**
 * Every native method, and nothing else. Handles named after a native object come from the method
 * that opens it; those named after a tensor are addresses of DJL's {@code PtNDArray.getHandle()}. A
 * wrong argument is an {@link IllegalArgumentException}, any other failure an {@link
 * IllegalStateException}, which a {@link PlacementRefusedException} is too.
 */
final class NativeMethods {
  private NativeMethods() {}

  static native long openTransformer(
      String weightFile,
      int[] nodes,
      boolean shared,
      WeightListener listener,
      int layers,
      int hidden,
      int heads,
      int inner,
      int vocabulary,
      double layerNormEpsilon,
      int threads,
      String instructions);

  static native String refusal(String instructions);

  static native void closeTransformer(long transformer);

  static native double[] forwardBackward(
      long transformer,
      int[] tokens,
      int[] targets,
      long[] entries,
      int[] shapes,
      float[] weights,
      long prefix,
      double dropoutRate,
      long dropoutSeed,
      long gradient,
      long reducer);

  static native double[] losses(
      long transformer,
      int[] tokens,
      int[] targets,
      long[] entries,
      int[] shapes,
      float[] weights,
      long prefix);

  static native void beginSequence(
      long transformer, int index, int[] prompt, int start, int gmask, int mask, int most);

  static native void appendToken(long transformer, int index, int token);

  static native void runSequences(long transformer, int[] indices, long prefix, float[] logits);

  static native long progress(long transformer);

  static native double[] products(long transformer);

  static native String kernels(long transformer);

  static native int[] weightNodes(long transformer);

  static native void dropoutMask(double rate, long seed, long entry, long mask);

  static native long openCalibration(int threads, String instructions);

  static native void closeCalibration(long calibration);

  static native double[] measureRates(long calibration, double seconds);

  static native String calibratedKernels(long calibration);

  static native long calibrationProgress(long calibration);

  static native long joinGroup(String library, String pmiSocket, int rank, int worldSize);

  static native void closeGroup(long group);

  static native String libraryVersion(long group);

  static native void allReduceSum(long group, long tensor);

  static native void allReduceMax(long group, long tensor);

  static native void broadcast(long group, long tensor, int root);

  static native void barrier(long group);

  static native long openReducer(long group, long gradient);

  static native void closeReducer(long reducer);

  static native void reduceAll(long reducer);

  static native double[] finishReduction(long reducer);

  static native long openOptimizer(int threads);

  static native void closeOptimizer(long optimizer);

  static native void adamW(
      long optimizer,
      long parameter,
      long gradient,
      long firstMoment,
      long secondMoment,
      double learningRate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      long step,
      double gradientFactor);

  static native double squaredNorm(long optimizer, long tensor);

  static native void clear(long optimizer, long tensor);

  static native void dieWithParent(long expectedParent);

  static native int[] allowedCpus();

  static native void preferMemoryOf(int node);
}
