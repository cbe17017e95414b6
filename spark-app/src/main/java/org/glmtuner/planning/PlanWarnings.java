package org.glmtuner.planning;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.glmtuner.config.EngineConfig;
import org.glmtuner.config.MicroBatchTokens;
import org.glmtuner.placement.HostPlacement;
import org.glmtuner.placement.HostPlacement.NodeUse;
import org.glmtuner.topology.Topology.MemoryNode;

/** What a user should know before the run. */
final class PlanWarnings {
  /** A part of the step that is worth a word. */
  private static final double MUCH = 0.2;

  /** Of a node: there are others than ranks. */
  private static final double USABLE = 0.95;

  private static final double GIGA = 1e9;

  private final PlanRequest request;
  private final int ranks;
  private final HostPlacement placement;
  private final Plan.Step step;
  private final SparkSettings spark;
  private final List<String> list = new ArrayList<>();

  PlanWarnings(
      PlanRequest request,
      int ranks,
      HostPlacement placement,
      Plan.Step step,
      SparkSettings spark) {
    this.request = request;
    this.ranks = ranks;
    this.placement = placement;
    this.step = step;
    this.spark = spark;
  }

  /** Sentences. */
  List<String> list() {
    globalBatch();
    microBatches();
    memory();
    container();
    time();
    return List.copyOf(list);
  }

  private void globalBatch() {
    int batch = request.config().training().globalBatch();
    if (batch < ranks) {
      say(
          "%d of %d ranks have no sample in a step: training.global-batch is %d",
          ranks - batch, ranks, batch);
    } else if (batch % ranks != 0) {
      say(
          "Ranks wait for %.0f %% of the products' time: training.global-batch = %d gives some of the %d ranks %d samples, others %d",
          100 * (1 - (double) batch / ranks / step.share().samples()),
          batch,
          ranks,
          step.share().samples(),
          batch / ranks);
    }
  }

  private void microBatches() {
    int longest = request.samples().longest();
    if (step.budget() < longest) {
      say(
          "A sample may have %d tokens, more than training.micro-batch-tokens = %d: such a one goes alone and takes more memory than other micro-batches",
          longest, step.budget());
    }
    double share = step.share().tokens();
    if (request.config().training().microBatchTokens() instanceof MicroBatchTokens.Given given
        && given.tokens() > share) {
      say(
          "Micro-batches are never full: a rank has about %.0f tokens in a step, training.micro-batch-tokens is %d; a greater training.global-batch would use weights once read for more tokens",
          share, given.tokens());
    }
  }

  private void memory() {
    for (NodeUse use : placement.uses()) {
      long planned = use.weights() + use.own();
      if (planned > USABLE * use.size()) {
        say(
            "NUMA node %d has %.1f GB, %.1f GB of which are planned: what is left may be too little for executors, page cache and the kernel",
            use.node(), use.size() / GIGA, planned / GIGA);
      }
    }
  }

  private void container() {
    long host = request.host().topology().memory().stream().mapToLong(MemoryNode::bytes).sum();
    if (spark.overheads().resident() > host) {
      say(
          "By YARN's count an executor needs %.1f GB besides its heap, more than the %.1f GB of its host: it takes %s=true there",
          spark.overheads().resident() / GIGA, host / GIGA, SparkSettings.SHARED_NOT_COUNTED);
    }
  }

  private void time() {
    if (request.config().prefix().projection()
        && request.config().engine().isa() == EngineConfig.Isa.AUTO) {
      say(
          "A projected prefix is trained with avx512 or avx2 at best where engine.isa = auto, whatever the rate of products that is planned with is of");
    }
    StepTime time = step.time();
    if (time.exposed() > MUCH * time.total()) {
      say(
          "Ranks wait for the network for %.0f %% of a step: a greater training.global-batch sums gradients less often",
          100 * time.exposed() / time.total());
    }
    if (request.config().training().length().epochs() > 0 && request.samples().count().isEmpty()) {
      say(
          "Nothing tells how many steps training.epochs = %d are: --samples does",
          request.config().training().length().epochs());
    }
  }

  private void say(String format, Object... values) {
    list.add(String.format(Locale.ROOT, format, values));
  }
}
