package org.glmtuner.nativeddp;

import static org.glmtuner.nativeddp.Checks.check;
import static org.glmtuner.nativeddp.Checks.invalid;

import java.util.ArrayList;
import java.util.List;

/** A micro-batch without padding: the rows of its samples one after another. Immutable. */
public final class PackedBatch {
  /** Marks a row from which nothing is to be predicted. */
  public static final int IGNORED = -100;

  final int[] tokens;
  final int[] targets;
  final long[] entries;
  final float[] weights;

  /** Of each sample: length, context length, mask position. */
  final int[] shapes;

  private PackedBatch(Builder builder) {
    int samples = builder.entries.size();
    tokens = concatenate(builder.tokens);
    targets = concatenate(builder.targets);
    shapes = concatenate(builder.shapes);
    entries = new long[samples];
    weights = new float[samples];
    for (int i = 0; i < samples; i++) {
      entries[i] = builder.entries.get(i);
      weights[i] = builder.weights.get(i);
    }
  }

  private static int[] concatenate(List<int[]> parts) {
    int[] whole = new int[parts.stream().mapToInt(part -> part.length).reduce(0, Math::addExact)];
    int end = 0;
    for (int[] part : parts) {
      System.arraycopy(part, 0, whole, end, part.length);
      end += part.length;
    }
    return whole;
  }

  public static Builder builder() {
    return new Builder();
  }

  public int samples() {
    return entries.length;
  }

  /** Tokens of all samples. */
  public int rows() {
    return tokens.length;
  }

  /** Collects samples. */
  public static final class Builder {
    private final List<int[]> tokens = new ArrayList<>();
    private final List<int[]> targets = new ArrayList<>();
    private final List<int[]> shapes = new ArrayList<>();
    private final List<Long> entries = new ArrayList<>();
    private final List<Float> weights = new ArrayList<>();

    private Builder() {}

    /**
     * Adds a copy of one sample. Its row {@code t} sees row {@code s} if {@code s <= t} or {@code s
     * < contextLength}. Ids are held against a vocabulary when the batch is used.
     *
     * @param entry its place in the run's sequence of samples: the key of its dropout mask
     * @param tokens what goes in, at least one
     * @param targets per token the one to be predicted from it, or {@link #IGNORED}
     * @param contextLength index of sop in the row, from 0 to the number of tokens (sop itself need
     *     not be an input)
     * @param maskPosition index of the first [gMASK], else [MASK], among the tokens
     * @param weight of the sample's summed loss in the gradient
     */
    public Builder add(
        long entry,
        int[] tokens,
        int[] targets,
        int contextLength,
        int maskPosition,
        float weight) {
      int length = tokens.length;
      check(length > 0, "number of tokens of entry " + entry, length, "must be positive");
      check(
          targets.length == length,
          "number of targets of entry " + entry,
          targets.length,
          "must be that of its tokens, " + length);
      check(
          contextLength >= 0 && contextLength <= length,
          "context length of entry " + entry,
          contextLength,
          "must be from 0 to its number of tokens, " + length);
      check(
          maskPosition >= 0 && maskPosition < length,
          "mask position of entry " + entry,
          maskPosition,
          "must be from 0 to " + (length - 1));
      check(Float.isFinite(weight), "weight of entry " + entry, weight, "must be finite");
      for (int token : tokens) {
        if (token < 0) {
          throw invalid("token of entry " + entry, token, "must not be negative");
        }
      }
      for (int target : targets) {
        if (target < 0 && target != IGNORED) {
          throw invalid(
              "target of entry " + entry,
              target,
              "must not be negative, or " + IGNORED + " for none");
        }
      }
      this.tokens.add(tokens.clone());
      this.targets.add(targets.clone());
      shapes.add(new int[] {length, contextLength, maskPosition});
      entries.add(entry);
      weights.add(weight);
      return this;
    }

    /** Throws {@link IllegalArgumentException} if there are no samples. */
    public PackedBatch build() {
      check(!entries.isEmpty(), "batch", "no samples", "must have at least one");
      return new PackedBatch(this);
    }
  }
}
