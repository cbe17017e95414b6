package org.glmtuner.planning;

import java.util.Map;

/**
 * Where the seconds of a step go, on the rank with the most to do.
 *
 * @param products matrix products with the base's weights, these being at hand
 * @param reading the weights, from memory
 * @param other attention, norms and activations; a projected prefix's encoder
 * @param update clipping and optimiser
 * @param network the sum over ranks, all of it
 * @param exposed of {@code network}, what the backward does not hide
 */
public record StepTime(
    double products, double reading, double other, double update, double network, double exposed) {

  /** Seconds of a step. */
  public double total() {
    return products + reading + other + update + exposed;
  }

  /** What takes the most of it. */
  Limit limit() {
    return Map.of(
            Limit.COMPUTE, products + other + update,
            Limit.BANDWIDTH, reading,
            Limit.NETWORK, exposed)
        .entrySet()
        .stream()
        .max(Map.Entry.comparingByValue())
        .orElseThrow()
        .getKey();
  }
}
