package org.glmtuner.model;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.nativeddp.PlacementRefusedException;
import org.glmtuner.nativeddp.WeightPlacement;
import org.glmtuner.placement.RankPlacement;

/**
 * What has become of a plan for the weights.
 *
 * @param opened with the weights
 * @param refusal why they are not placed as planned; empty if they are
 */
record PlacedWeights<T>(T opened, WeightPlacement placement, String refusal) {

  /**
   * Opens the weights as planned. Where kernel or container refuse a copy that is not asked for by
   * name, or its nodes have no room now, the file is mapped. A weight file that cannot be used is
   * no better for being mapped: what {@code open} throws of that comes out.
   *
   * @param open throws {@link PlacementRefusedException} where there cannot be such a copy
   * @throws TunerException (exit code 3) if the configuration asks for a copy that cannot be
   */
  static <T> PlacedWeights<T> open(RankPlacement plan, Function<WeightPlacement, T> open) {
    if (!plan.copied()) {
      return new PlacedWeights<>(open.apply(WeightPlacement.MAPPED), WeightPlacement.MAPPED, "");
    }
    WeightPlacement copy = new WeightPlacement(plan.nodes(), plan.shared());
    try {
      return new PlacedWeights<>(open.apply(copy), copy, "");
    } catch (PlacementRefusedException e) {
      if (plan.copyRequired()) {
        throw new TunerException(
            ExitCode.UNSUITABLE,
            e.getMessage() + " (memory.weights and memory.kind = auto would map the file)",
            e);
      }
      return new PlacedWeights<>(
          open.apply(WeightPlacement.MAPPED), WeightPlacement.MAPPED, e.getMessage());
    }
  }

  /**
   * For people.
   *
   * @param sampled the NUMA nodes of some pages of the weights; none where the kernel does not tell
   */
  String describe(int[] sampled) {
    String how =
        placement.nodes().isEmpty()
            ? "weights mapped"
            : placement.shared() ? "weights in a shared copy" : "weights in a copy of its own";
    return how
        + (refusal.isEmpty() ? "" : ", not copied as planned: " + refusal)
        + (sampled.length == 0 ? "" : ", of " + sampled.length + " pages " + counts(sampled));
  }

  private static String counts(int[] sampled) {
    Map<Integer, Long> byNode =
        Arrays.stream(sampled)
            .boxed()
            .collect(Collectors.groupingBy(node -> node, TreeMap::new, Collectors.counting()));
    return byNode.entrySet().stream()
        .map(entry -> entry.getValue() + " on NUMA node " + entry.getKey())
        .collect(Collectors.joining(", "));
  }
}
