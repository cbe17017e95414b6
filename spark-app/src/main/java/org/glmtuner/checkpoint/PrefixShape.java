package org.glmtuner.checkpoint;

import java.util.List;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.PrefixTensor;

/**
 * What a prefix's tensors say of it. Nothing else tells, in official checkpoints: P virtual tokens,
 * L layers, H hidden size.
 *
 * @param length P
 * @param width of the keys and values of a virtual token, 2·L·H
 * @param projection whether a two-layer perceptron makes them
 * @param hidden size of the perceptron's input, H; 0 without one
 */
public record PrefixShape(int length, long width, boolean projection, long hidden) {
  private static final int MAX_LENGTH = 1 << 24; // above any use

  /** The prefix encoder's tensors in the order of the file. */
  public static List<TensorSpec> tensors(TensorFile file) {
    return file.tensors().stream()
        .filter(tensor -> tensor.name().startsWith(PrefixTensor.ENCODER))
        .toList();
  }

  /**
   * Reads the shapes of the file's prefix encoder.
   *
   * @throws TunerException (exit code 6) where it has none, or one that does not fit together
   */
  public static PrefixShape of(TensorFile file) {
    List<TensorSpec> tensors = tensors(file);
    if (tensors.isEmpty()) {
      throw TunerException.damaged(
          "Cannot read a prefix from "
              + file.location()
              + ": it has no tensor "
              + PrefixTensor.EMBEDDING);
    }
    List<Long> embedding = shape(file, PrefixTensor.EMBEDDING, 2);
    if (embedding.get(0) < 1 || embedding.get(0) > MAX_LENGTH) {
      throw wrong(file, file.get(PrefixTensor.EMBEDDING), "1 to " + MAX_LENGTH + " rows");
    }
    int length = embedding.get(0).intValue();
    if (tensors.size() == 1) {
      return new PrefixShape(length, embedding.get(1), false, 0);
    }
    long hidden = embedding.get(1);
    expect(file, PrefixTensor.HIDDEN_WEIGHT, List.of(hidden, hidden));
    expect(file, PrefixTensor.HIDDEN_BIAS, List.of(hidden));
    long width = shape(file, PrefixTensor.OUTPUT_WEIGHT, 2).get(0);
    expect(file, PrefixTensor.OUTPUT_WEIGHT, List.of(width, hidden));
    expect(file, PrefixTensor.OUTPUT_BIAS, List.of(width));
    if (tensors.size() != 5) {
      throw TunerException.damaged(
          "Cannot read a prefix from "
              + file.location()
              + ": it has "
              + tensors.size()
              + " tensors of a prefix encoder (1, or 5 with a projection)");
    }
    return new PrefixShape(length, width, true, hidden);
  }

  /**
   * Refuses a configuration of another base or another prefix.
   *
   * @param location of the prefix, for the message
   */
  public void check(String location, ChatGlmConfig config) {
    checkBase(location, config);
    config
        .prefix()
        .filter(prefix -> prefix.length() != length || prefix.projection() != projection)
        .ifPresent(
            prefix -> {
              throw mismatch(
                  location,
                  "it has " + length + " virtual tokens" + with(projection),
                  "it says pre_seq_len " + prefix.length() + with(prefix.projection()));
            });
  }

  /** Refuses a base of other sizes, as {@link #check} does. */
  void checkBase(String location, ChatGlmConfig base) {
    long expected = 2L * base.numLayers() * base.hiddenSize();
    if (width != expected) {
      throw mismatch(
          location,
          "its keys and values have the width " + width,
          "2 x num_layers x hidden_size is " + expected);
    }
    if (projection && hidden != base.hiddenSize()) {
      throw mismatch(
          location, "its embedding has the width " + hidden, "hidden_size is " + base.hiddenSize());
    }
  }

  /** Length and form. */
  public Prefix prefix() {
    return new Prefix(length, projection);
  }

  private static String with(boolean projection) {
    return projection ? " with a projection" : " without a projection";
  }

  private static TunerException mismatch(String location, String found, String expected) {
    return TunerException.damaged(
        "Cannot use the prefix "
            + location
            + ": "
            + found
            + ", but by the "
            + ChatGlmConfig.FILE
            + " that it is used with "
            + expected);
  }

  private static List<Long> shape(TensorFile file, String name, int dimensions) {
    TensorSpec spec = file.get(name);
    if (spec.shape().size() != dimensions || !spec.dtype().isFloat()) {
      throw wrong(file, spec, "a matrix of F32, F16 or BF16");
    }
    return spec.shape();
  }

  private static void expect(TensorFile file, String name, List<Long> expected) {
    TensorSpec spec = file.get(name);
    if (!spec.shape().equals(expected) || !spec.dtype().isFloat()) {
      throw wrong(file, spec, "F32, F16 or BF16 " + expected + ", by the tensors beside it");
    }
  }

  private static TunerException wrong(TensorFile file, TensorSpec spec, String rule) {
    return TunerException.damaged(
        "Cannot read tensor "
            + spec.name()
            + " of "
            + file.location()
            + ": it is "
            + spec.dtype()
            + " "
            + spec.shape()
            + " ("
            + rule
            + ")");
  }
}
