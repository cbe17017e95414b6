package org.glmtuner.planning;

import java.util.OptionalLong;
import org.glmtuner.config.DataConfig;

/**
 * Lengths of the samples.
 *
 * @param tokens of one, on average
 * @param labelled of them, those that the loss is a mean of
 * @param longest tokens of the longest
 * @param count how many there are, where it is known
 * @param origin where the numbers are from, for people
 */
public record SampleSizes(
    double tokens, double labelled, int longest, OptionalLong count, String origin) {
  public SampleSizes {
    if (!(tokens >= 2) || labelled > tokens) {
      throw new IllegalArgumentException(
          "Invalid samples: of " + tokens + " tokens " + labelled + " are labelled");
    }
  }

  /** As long as the configuration lets them be: an upper bound. */
  public static SampleSizes longest(DataConfig data) {
    int longest = data.maxSourceLength() + data.maxTargetLength();
    return new SampleSizes(
        longest,
        data.maxTargetLength(),
        longest,
        OptionalLong.empty(),
        "at most, by data.max-source-length and data.max-target-length");
  }

  /** Of a given length, labelled in the proportion that the configuration's lengths have. */
  public static SampleSizes given(double tokens, DataConfig data) {
    SampleSizes longest = longest(data);
    return new SampleSizes(
        tokens,
        tokens * longest.labelled / longest.tokens,
        (int) Math.max(longest.longest, Math.ceil(tokens)),
        OptionalLong.empty(),
        "given with --tokens-per-sample");
  }

  /** The same, so many of them. */
  public SampleSizes counted(long samples) {
    return new SampleSizes(tokens, labelled, longest, OptionalLong.of(samples), origin);
  }
}
