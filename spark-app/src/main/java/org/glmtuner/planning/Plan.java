package org.glmtuner.planning;

import java.util.List;
import java.util.OptionalLong;
import org.glmtuner.placement.HostPlacement;
import org.glmtuner.planning.Speeds.Rate;

/**
 * A plan. For people {@link #toText}, for machines {@link #toJson}.
 *
 * @param ranks by host, then by socket and CPU cluster
 * @param placement on the first host, which has as many ranks as any
 * @param warnings sentences
 */
public record Plan(
    PlanRequest request,
    List<RankSpot> ranks,
    HostPlacement placement,
    Step step,
    Run run,
    SparkSettings spark,
    List<String> warnings) {
  public Plan {
    ranks = List.copyOf(ranks);
    warnings = List.copyOf(warnings);
  }

  /**
   * A step.
   *
   * @param share of the rank with the most to do
   * @param budget tokens of a micro-batch
   * @param reading bytes of weights that this rank reads
   * @param tokensPerSecond of all ranks
   */
  public record Step(
      StepShare share,
      int budget,
      Rate reading,
      StepTime time,
      NetworkUse network,
      double tokensPerSecond,
      Limit limit) {}

  /**
   * The whole.
   *
   * @param steps nothing where they depend on how many samples there are, which is not known
   * @param checkpointBytes of one
   */
  public record Run(OptionalLong steps, long checkpointBytes) {}

  /** Seconds of all steps. */
  double seconds() {
    return run.steps().orElseThrow() * step.time().total();
  }

  /** Of all copies on a host. */
  long weightBytes() {
    return placement.copies() * request.model().weightBytes();
  }

  /** Cores of a host that no rank has. */
  int coresLeft() {
    int taken =
        ranks.stream().filter(rank -> rank.host() == 0).mapToInt(rank -> spark.cores()).sum();
    return request.host().cores() - taken;
  }

  /** The whole as one JSON object. */
  public String toJson() {
    return PlanJson.of(this);
  }

  /** The whole as lines for people. */
  public List<String> toText() {
    return new PlanText(this).lines();
  }
}
