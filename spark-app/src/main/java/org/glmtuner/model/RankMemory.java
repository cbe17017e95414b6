package org.glmtuner.model;

import java.io.Serializable;
import org.glmtuner.config.Precision;
import org.glmtuner.model.ChatGlmConfig.Prefix;

/**
 * What a rank takes of memory for itself, in bytes: all but the weight file, which the ranks of a
 * host map together. It is the sum of the buffers that native-ddp and the rank keep. They only
 * grow, so the largest micro-batch so far decides.
 *
 * <p>T tokens of a micro-batch, S samples, L layers, H hidden size, N heads of D elements, I inner
 * size, V vocabulary, P virtual tokens; E bytes an element has in the precision, 4 where none is
 * named.
 *
 * @param threads of the rank
 */
public record RankMemory(Shape model, Prefix prefix, Precision precision, int threads)
    implements Serializable {
  private static final long FLOAT = Float.BYTES;

  /** Of a trainable value: itself and two moments; and its gradient. */
  private static final int COPIED = 3;

  private static final int TRAINED = COPIED + 1;

  /**
   * What a rank has without a model: the Java machine, DJL, libtorch, MPI. Measured; pages of
   * libraries that ranks of one host share are counted in each.
   */
  private static final long PROCESS = 190L << 20;

  /** What MKL keeps after large products. Measured. */
  private static final long PRODUCTS = 20L << 20;

  // Of native-ddp, in the files that the methods name.
  private static final long HUGE_PAGE = 2 << 20;
  private static final long LARGE = 4 * HUGE_PAGE;
  private static final long LOGITS = 32 << 20;
  private static final long PACKED = 16 << 20;
  private static final long FEW_ROWS = 256;
  private static final long STRIP = 512 * 256; // of AVX-512; that of AVX2 is half as long
  private static final long ATTENTION_QUERIES = 128;

  /** The sizes of a model. */
  public record Shape(long layers, long hidden, long heads, long inner, long vocabulary)
      implements Serializable {
    long headSize() {
      return hidden / heads;
    }

    /** Of the widest row between two products, whatever it holds. */
    long widest() {
      return Math.max(3 * hidden, inner);
    }
  }

  /** Sequences under way at a time, of at most so many tokens each. */
  public record Sequences(int count, int tokens) implements Serializable {
    public static final Sequences NONE = new Sequences(0, 0);
  }

  /**
   * The parts of it.
   *
   * @param process without a model
   * @param prefix parameters, moments, gradients, keys and values
   * @param saved what the layers keep from forward to backward
   * @param workspaces of the layers, in FP32
   * @param output normalised labelled rows and a chunk of logits
   * @param packed rows that a product has packed, and its strips of weights
   * @param masks of the prefix's dropout
   * @param caches keys and values of the sequences under way, once they have grown to their ends
   */
  public record Parts(
      long process,
      long prefix,
      long saved,
      long workspaces,
      long output,
      long packed,
      long masks,
      long caches) {
    public long total() {
      return process + prefix + saved + workspaces + output + packed + masks + caches;
    }
  }

  public static RankMemory of(
      ChatGlmConfig config, Prefix prefix, Precision precision, int threads) {
    Shape shape =
        new Shape(
            config.numLayers(),
            config.hiddenSize(),
            config.numAttentionHeads(),
            config.innerHiddenSize(),
            config.vocabSize());
    return new RankMemory(shape, prefix, precision, threads);
  }

  /** Of the prefix encoder. */
  public long trainableValues() {
    return PrefixTensor.values(model.layers(), model.hidden(), prefix);
  }

  /** Of a rank that trains. */
  public long privateBytes(int tokens, int samples) {
    return training(tokens, samples).total();
  }

  /** Of a rank that trains with micro-batches of at most so many tokens, of so many samples. */
  public Parts training(int tokens, int samples) {
    return new Parts(
        PROCESS,
        trainable(TRAINED) + projected(3),
        saved(tokens),
        workspaces(tokens),
        output(tokens, 2),
        packed(tokens),
        masks(samples),
        0);
  }

  /** Of a rank that scores and completes prompts. */
  public Parts serving(int tokens, Sequences sequences) {
    return new Parts(
        PROCESS,
        trainable(1) + projected(2),
        0,
        workspaces(tokens),
        output(tokens, 1),
        packed(tokens),
        0,
        caches(sequences));
  }

  /** Of rank 0 besides, while a checkpoint is written: parameters and moments once more. */
  public long checkpointBytes() {
    return trainable(COPIED);
  }

  /**
   * PrefixEncoder.parameters, HfAdamW.moments, and the gradients: with a plain encoder that is
   * TrainStep.gradient, [L, 2, P, H], and the parameters are the keys and values.
   */
  private long trainable(int copies) {
    return copies * trainableValues() * FLOAT;
  }

  /**
   * With a projection [L, 2, P, H] is something else: TrainStep.gradient,
   * PrefixEncoder.keysAndValues, and what they are made from or turned into, [P, 2·L·H]. Its
   * products are MKL's.
   */
  private long projected(int copies) {
    return prefix.projection()
        ? 2L * copies * model.layers() * prefix.length() * model.hidden() * FLOAT + PRODUCTS
        : 0;
  }

  /**
   * saved_layer.h, of each layer: [T, H], [T, 3H], [T, H] and [T, I] of E, and 2 + N statistics a
   * row. The last layer keeps two of them for its labelled rows only, which is left out here.
   */
  private long saved(long tokens) {
    long hidden = tokens * model.hidden() * element();
    long statistics = tokens * (2 + model.heads()) * FLOAT;
    return model.layers()
        * (2 * buffer(hidden)
            + buffer(3 * hidden)
            + buffer(tokens * model.inner() * element())
            + statistics);
  }

  private int element() {
    return precision == Precision.BF16 ? Short.BYTES : Float.BYTES;
  }

  /**
   * workspace.h: three of [T, H], [T, 3H] and [T, max(I, 3H)], sines and cosines [T, D/2], a row
   * for each thread; packed_attention.h: of each thread two blocks of scores [128, P + T] and two
   * of [2, P, D].
   */
  private long workspaces(long tokens) {
    long hidden = tokens * model.hidden() * FLOAT;
    long block = Math.min(ATTENTION_QUERIES, tokens) * (prefix.length() + tokens);
    long heads = 2L * prefix.length() * model.headSize();
    return 3 * buffer(hidden)
        + buffer(3 * hidden)
        + buffer(tokens * model.widest() * FLOAT)
        + tokens * model.headSize() * FLOAT
        + threads * (model.widest() + 2 * block + 2 * heads) * FLOAT;
  }

  /** output_layer.h: [T, H], twice where a backward follows, if all rows are labelled; logits. */
  private long output(long tokens, int copies) {
    return copies * buffer(tokens * model.hidden() * FLOAT)
        + buffer(chunk(tokens) * model.vocabulary() * FLOAT);
  }

  /** output_layer.cpp: rows whose logits exist at a time. */
  private long chunk(long tokens) {
    return Math.min(tokens, Math.max(16, Math.min(LOGITS / model.vocabulary(), 1024)));
  }

  /**
   * packed_product.h: rows that are multiplied at a time, [rows, depth]; strips of weights. In
   * FP32, as for AVX2: the driver does not know the CPUs, and operands of BF16 take up to half of
   * it.
   */
  private long packed(long tokens) {
    long layer =
        Math.max(packedRows(tokens, 3 * model.hidden()), packedRows(tokens, model.inner()));
    long most = Math.max(layer, packedRows(chunk(tokens), model.vocabulary()));
    return buffer(most * FLOAT) + threads * STRIP * FLOAT;
  }

  /** More rows than these are halved; fewer are not, as the last chunk of logits may be. */
  private static long packedRows(long rows, long depth) {
    return Math.min(rows, Math.max(FEW_ROWS, PACKED / depth)) * depth;
  }

  /** prefix_dropout.h: a bit for each of [S, 2L, P, H]. */
  private long masks(long samples) {
    long slab = (prefix.length() * model.hidden() + Long.SIZE - 1) / Long.SIZE * Long.BYTES;
    return buffer(samples * 2 * model.layers() * slab);
  }

  /** decoder.h, of each sequence and layer: keys and values, [2, tokens, H]. */
  private long caches(Sequences sequences) {
    return sequences.count()
        * model.layers()
        * buffer(2L * sequences.tokens() * model.hidden() * FLOAT);
  }

  /** buffer.h: large ones are whole huge pages. */
  private static long buffer(long bytes) {
    long unit = bytes < LARGE ? 1 : HUGE_PAGE;
    return (bytes + unit - 1) / unit * unit;
  }
}
