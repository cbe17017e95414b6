package org.glmtuner.benchmark;

import com.google.gson.JsonArray;
import java.util.ArrayList;
import java.util.List;

/**
 * How far two gradients of a prefix are apart: the L2 norm of the difference relative to that of
 * the expected one, of each layer's keys and values.
 */
record GradientDifference(List<Double> keys, List<Double> values) {

  /** Of gradients as {@link StepResult} has them. */
  static GradientDifference of(List<float[]> expected, List<float[]> found) {
    List<Double> keys = new ArrayList<>();
    List<Double> values = new ArrayList<>();
    for (int layer = 0; layer < expected.size(); layer++) {
      int half = expected.get(layer).length / 2;
      keys.add(relative(expected.get(layer), found.get(layer), 0, half));
      values.add(relative(expected.get(layer), found.get(layer), half, 2 * half));
    }
    return new GradientDifference(keys, values);
  }

  private static double relative(float[] expected, float[] found, int begin, int end) {
    double difference = 0;
    double norm = 0;
    for (int i = begin; i < end; i++) {
      double apart = (double) found[i] - expected[i];
      difference += apart * apart;
      norm += (double) expected[i] * expected[i];
    }
    return Math.sqrt(difference / norm);
  }

  /**
   * Throws where a layer's differ by more than {@code tolerance}, or are not numbers.
   *
   * @param other whose gradient was expected
   */
  void require(String other, double tolerance) {
    for (int layer = 0; layer < keys.size(); layer++) {
      require(other, tolerance, "keys in layer " + layer, keys.get(layer));
      require(other, tolerance, "values in layer " + layer, values.get(layer));
    }
  }

  private static void require(String other, double tolerance, String what, double difference) {
    if (!(difference <= tolerance)) {
      throw Agreement.refusal(
          "the gradient of the prefix's "
              + what
              + " differs by "
              + difference
              + " of its norm from that of "
              + other
              + " (it may by "
              + tolerance
              + ")");
    }
  }

  static JsonArray json(List<Double> differences) {
    JsonArray json = new JsonArray();
    differences.forEach(difference -> json.add(Numbers.rounded(difference)));
    return json;
  }
}
