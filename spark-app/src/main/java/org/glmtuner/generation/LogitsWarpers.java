package org.glmtuner.generation;

import java.util.Arrays;
import java.util.BitSet;
import java.util.PriorityQueue;

/**
 * What a row of logits [V] goes through, each step as the class of its name in Hugging Face
 * transformers 4.27.1 ({@code generation/logits_process.py}), in FP32 where that is; tokens that
 * drop out become -∞.
 */
final class LogitsWarpers {
  private static final float DROPPED = Float.NEGATIVE_INFINITY;

  private LogitsWarpers() {}

  /** RepetitionPenaltyLogitsProcessor: once for each id, however often it was seen. */
  static void penalise(float[] scores, BitSet seen, float penalty) {
    for (int id = seen.nextSetBit(0); id >= 0; id = seen.nextSetBit(id + 1)) {
      scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
    }
  }

  /** TemperatureLogitsWarper. */
  static void divide(float[] scores, float temperature) {
    for (int id = 0; id < scores.length; id++) {
      scores[id] /= temperature;
    }
  }

  /** TopKLogitsWarper: what equals the k-th largest stays too. */
  static void keepTopK(float[] scores, int k) {
    if (k >= scores.length) {
      return;
    }
    PriorityQueue<Float> largest = new PriorityQueue<>(k);
    for (float score : scores) {
      if (largest.size() < k) {
        largest.add(score);
      } else if (score > largest.peek()) {
        largest.poll();
        largest.add(score);
      }
    }
    float least = largest.element();
    for (int id = 0; id < scores.length; id++) {
      if (scores[id] < least) {
        scores[id] = DROPPED;
      }
    }
  }

  /**
   * TopPLogitsWarper: in ascending order, tokens drop out while their probabilities sum up to no
   * more than 1 - p; the most probable one always stays. Of equals, lower ids come first.
   */
  static void keepTopP(float[] scores, double p) {
    int[] ascending = ascending(scores);
    double largest = scores[ascending[ascending.length - 1]];
    double sum = 0;
    for (int id : ascending) {
      sum += Math.exp(scores[id] - largest);
    }
    double cumulated = 0;
    for (int i = 0; i < ascending.length - 1; i++) {
      cumulated += Math.exp(scores[ascending[i]] - largest) / sum;
      if (cumulated > 1 - p) {
        return;
      }
      scores[ascending[i]] = DROPPED;
    }
  }

  /** Ids of the tokens that have not dropped out, by score, then by id. */
  private static int[] ascending(float[] scores) {
    long[] keys = new long[scores.length];
    int count = 0;
    for (int id = 0; id < scores.length; id++) {
      if (scores[id] > DROPPED) {
        int bits = Float.floatToIntBits(scores[id] + 0.0f); // -0 is 0
        int ordered = bits ^ (bits >> 31 & Integer.MAX_VALUE); // as the floats are ordered
        keys[count++] = (long) ordered << 32 | id;
      }
    }
    Arrays.sort(keys, 0, count);
    int[] ids = new int[count];
    for (int i = 0; i < count; i++) {
      ids[i] = (int) keys[i];
    }
    return ids;
  }

  /** The largest, of equals the first. */
  static int largest(float[] scores) {
    int largest = 0;
    for (int id = 1; id < scores.length; id++) {
      if (scores[id] > scores[largest]) {
        largest = id;
      }
    }
    return largest;
  }

  /**
   * A token drawn from the soft-max of the scores: the first at which the probabilities, summed up
   * by id, exceed {@code uniform}.
   *
   * @param uniform in [0, 1)
   */
  static int draw(float[] scores, double uniform) {
    double most = scores[largest(scores)];
    double sum = 0;
    for (float score : scores) {
      sum += score > DROPPED ? Math.exp(score - most) : 0;
    }
    double cumulated = 0;
    int last = -1;
    for (int id = 0; id < scores.length; id++) {
      if (scores[id] > DROPPED) {
        last = id;
        cumulated += Math.exp(scores[id] - most);
        if (cumulated > uniform * sum) {
          return id;
        }
      }
    }
    return last; // where rounding left the sum below uniform · sum
  }
}
