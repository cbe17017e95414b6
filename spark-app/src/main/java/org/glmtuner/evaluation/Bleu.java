package org.glmtuner.evaluation;

import java.util.HashMap;
import java.util.Map;

/**
 * BLEU-4 of a text against one reference as nltk's {@code sentence_bleu} computes it over
 * characters, with its smoothing method 3.
 */
final class Bleu {
  private static final int ORDERS = 4;

  private Bleu() {}

  /**
   * The geometric mean of the shares of the hypothesis's sequences of 1 to 4 characters that are in
   * the reference (repeats count as often as the reference has them), times a penalty for being
   * shorter than it: from 0 to 1. The k-th order without a common sequence counts as 1/2ᵏ of one;
   * without a common character it is 0.
   */
  static double of(String hypothesis, String reference) {
    int[] candidate = hypothesis.codePoints().toArray();
    int[] wanted = reference.codePoints().toArray();
    double sum = 0;
    int ordersWithout = 0;
    for (int order = 1; order <= ORDERS; order++) {
      int common = common(sequences(candidate, order), sequences(wanted, order));
      if (common == 0 && order == 1) {
        return 0;
      }
      double count = Math.max(1, candidate.length - order + 1);
      double share = common == 0 ? 1 / (Math.pow(2, ++ordersWithout) * count) : common / count;
      sum += Math.log(share) / ORDERS;
    }
    return brevityPenalty(candidate.length, wanted.length) * Math.exp(sum);
  }

  private static double brevityPenalty(int candidate, int wanted) {
    return candidate > wanted ? 1 : Math.exp(1 - (double) wanted / candidate);
  }

  private static Map<String, Integer> sequences(int[] characters, int length) {
    Map<String, Integer> counts = new HashMap<>();
    for (int i = 0; i + length <= characters.length; i++) {
      counts.merge(new String(characters, i, length), 1, Integer::sum);
    }
    return counts;
  }

  private static int common(Map<String, Integer> candidate, Map<String, Integer> wanted) {
    return candidate.entrySet().stream()
        .mapToInt(entry -> Math.min(entry.getValue(), wanted.getOrDefault(entry.getKey(), 0)))
        .sum();
  }
}
