package org.glmtuner.nativeddp;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A frozen ChatGLM over a weight file: losses, their gradient with respect to a prefix of keys and
 * values, decoding. Owns threads and workspaces, which grow to the largest batch; the weights may
 * be shared with other processes, as {@link WeightPlacement} says.
 *
 * <p>Prefixes are handles of FP32 tensors {@code [L, 2, P, H]} on the CPU, contiguous: keys at
 * {@code [l][0]}, values at {@code [l][1]}, head {@code h} in columns {@code h · D …}. They stay
 * the caller's.
 *
 * <p>Computing methods take turns; {@link #progress} answers from any thread meanwhile. Losses that
 * are not finite are returned as they are.
 */
public final class NativeTransformer implements AutoCloseable {
  /** As a prefix: none. */
  public static final long NO_PREFIX = 0;

  private final NativeHandle handle;

  private NativeTransformer(Path weightFile, long address) {
    handle =
        new NativeHandle(
            this, "transformer of " + weightFile, address, NativeMethods::closeTransformer);
  }

  /**
   * Maps or copies a weight file and starts the threads.
   *
   * @param listener hears how the weights are read, on the calling thread; what it throws comes out
   * @param threads that compute, the caller's own among them
   * @param instructions that matrix products use: {@code auto}, {@code generic}, {@code avx2},
   *     {@code avx512}, {@code avx512bf16} or {@code amx}
   * @throws IllegalStateException naming file and tensor if the weight file is damaged or does not
   *     fit the dimensions; if this machine {@linkplain #refusal refuses} the instructions
   * @throws PlacementRefusedException if there cannot be a copy on these nodes, as they have no
   *     room for it
   */
  public static NativeTransformer open(
      Path weightFile,
      WeightPlacement placement,
      WeightListener listener,
      ModelDimensions dimensions,
      int threads,
      String instructions) {
    return new NativeTransformer(
        weightFile,
        NativeMethods.openTransformer(
            weightFile.toString(),
            placement.nodeNumbers(),
            placement.shared(),
            listener,
            dimensions.layers(),
            dimensions.hidden(),
            dimensions.heads(),
            dimensions.inner(),
            dimensions.vocabulary(),
            dimensions.layerNormEpsilon(),
            threads,
            instructions));
  }

  /**
   * Why this machine cannot use the instructions of that name, as {@code this CPU lacks AVX2 or
   * FMA}; empty if it can.
   */
  public static Optional<String> refusal(String instructions) {
    return Optional.of(NativeMethods.refusal(instructions)).filter(reason -> !reason.isEmpty());
  }

  /**
   * Adds Σ weight · d(loss)/d(prefix before dropout) over the samples to {@code gradient}, a tensor
   * of the prefix's shape.
   *
   * @return of each sample, the sum of -log p over its labelled rows, unweighted
   */
  public double[] forwardBackward(
      PackedBatch batch, long prefix, PrefixDropout dropout, long gradient) {
    return forwardBackward(batch, prefix, dropout, gradient, 0);
  }

  /**
   * As the other, and starts to reduce each layer's slice as soon as it is complete: for a step's
   * last micro-batch.
   *
   * @param reducer over {@code gradient}
   */
  public double[] forwardBackward(
      PackedBatch batch,
      long prefix,
      PrefixDropout dropout,
      long gradient,
      GradientReducer reducer) {
    return reducer.with(address -> forwardBackward(batch, prefix, dropout, gradient, address));
  }

  private synchronized double[] forwardBackward(
      PackedBatch batch, long prefix, PrefixDropout dropout, long gradient, long reducer) {
    return handle.with(
        address ->
            NativeMethods.forwardBackward(
                address,
                batch.tokens,
                batch.targets,
                batch.entries,
                batch.shapes,
                batch.weights,
                prefix,
                dropout.rate(),
                dropout.seed(),
                gradient,
                reducer));
  }

  /**
   * The losses alone, without dropout.
   *
   * @param prefix or {@link #NO_PREFIX}
   */
  public synchronized double[] losses(PackedBatch batch, long prefix) {
    return handle.with(
        address ->
            NativeMethods.losses(
                address,
                batch.tokens,
                batch.targets,
                batch.entries,
                batch.shapes,
                batch.weights,
                prefix));
  }

  /**
   * Sequence {@code index} becomes {@code prompt}, whose rows wait for {@link #runSequences}; what
   * it was before is forgotten. Its cache of keys and values stays allocated for the next one.
   *
   * @param index chosen by the caller, from 0
   * @param prompt with [gMASK] or [MASK], and sop
   * @param most tokens that may be appended
   */
  public synchronized void beginSequence(int index, int[] prompt, DecodingTokens tokens, int most) {
    handle.run(
        address ->
            NativeMethods.beginSequence(
                address, index, prompt, tokens.start(), tokens.gmask(), tokens.mask(), most));
  }

  /** Adds a token to a sequence, whose row waits for {@link #runSequences}. */
  public synchronized void appendToken(int index, int token) {
    handle.run(address -> NativeMethods.appendToken(address, index, token));
  }

  /**
   * Runs the rows that wait in these sequences, packed.
   *
   * @param prefix or {@link #NO_PREFIX}; the same one for all of a sequence's rows
   * @param logits [n, V] receives those of each sequence's last row, in the order of {@code
   *     indices}
   */
  public synchronized void runSequences(int[] indices, long prefix, float[] logits) {
    handle.run(address -> NativeMethods.runSequences(address, indices, prefix, logits));
  }

  /** A number that grows while anything is computed, several times per layer. */
  public long progress() {
    return handle.with(NativeMethods::progress);
  }

  /** What the products with the weights have cost since this was opened. */
  public synchronized ProductTotals products() {
    double[] totals = handle.with(NativeMethods::products);
    return new ProductTotals(totals[0], totals[1]);
  }

  /** What multiplies matrices, and their precision: {@code avx2/bf16}. */
  public String kernels() {
    return handle.with(NativeMethods::kernels);
  }

  /**
   * The NUMA nodes of some pages of the weights, taken at even distances; none where the kernel
   * does not tell, as in some containers.
   */
  public int[] weightNodes() {
    return handle.with(NativeMethods::weightNodes);
  }

  @Override
  public void close() {
    handle.close();
  }
}
