package org.glmtuner.planning;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.glmtuner.config.MicroBatchTokens;

/** What a user should know before the run. */
final class PlanWarnings {
  /** A part of the step that is worth a word. */
  private static final double MUCH = 0.2;

  /** Of a node, for what nobody counts: the kernel, executors, other programs. */
  private static final double RESERVE = 0.05;

  private static final double GIGA = 1e9;

  private final PlanRequest request;
  private final int ranks;
  private final Plan.Memory memory;
  private final Plan.Step step;
  private final List<String> list = new ArrayList<>();

  PlanWarnings(PlanRequest request, int ranks, Plan.Memory memory, Plan.Step step) {
    this.request = request;
    this.ranks = ranks;
    this.memory = memory;
    this.step = step;
  }

  /** Sentences. */
  List<String> list() {
    globalBatch();
    microBatches();
    memory();
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
    for (NodeUse use : memory.nodes()) {
      if (use.free() < RESERVE * use.node().bytes()) {
        say(
            "NUMA node %d has %.1f GB, %.1f GB of which are planned: what is left may be too little for executors, page cache and the kernel",
            use.node().number(), use.node().bytes() / GIGA, (use.weights() + use.ranks()) / GIGA);
      }
    }
  }

  private void time() {
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
