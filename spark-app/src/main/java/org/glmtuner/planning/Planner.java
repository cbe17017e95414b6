package org.glmtuner.planning;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.glmtuner.config.MicroBatchTokens;
import org.glmtuner.config.TrainingConfig;
import org.glmtuner.config.TrainingConfig.Length;
import org.glmtuner.executor.MicroBatchMemory;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.RankMemory;
import org.glmtuner.placement.HostPlacement;
import org.glmtuner.placement.MemoryNeed;
import org.glmtuner.planning.Speeds.Rate;
import org.glmtuner.topology.Topology.MemoryNode;

/** Makes a plan. */
public final class Planner {
  /** More tokens in a micro-batch make products no faster. */
  private static final int ENOUGH_TOKENS = 4096;

  /** Of a checkpoint: the prefix for the official code and as safetensors, and two moments. */
  private static final int CHECKPOINT_COPIES = 4;

  private final PlanRequest request;
  private final HostRanks ranks;
  private final RankMemory memory;
  private final int samples; // of a rank in a step, at most

  private Planner(PlanRequest request) {
    this.request = request;
    this.ranks = HostRanks.of(request.host(), request.config().ranks());
    this.memory =
        new RankMemory(
            request.model().shape(),
            Prefix.of(request.config().prefix()),
            request.config().model().precision(),
            ranks.groups().get(0).threads());
    this.samples = (request.config().training().globalBatch() + ranks.all() - 1) / ranks.all();
  }

  /**
   * Plans a run.
   *
   * @throws TunerException with exit code 3 where the hosts have too few CPUs or too little memory
   *     for it, 2 where nothing says how fast weights are read
   */
  public static Plan plan(PlanRequest request) {
    return new Planner(request).plan();
  }

  private Plan plan() {
    TrainingConfig training = request.config().training();
    HostPlacement least = ranks.place(need(own(leastBudget())), request.config().memory());
    int budget = budget(least.copies());
    long own = own(budget);
    HostPlacement placement = ranks.grown(least, need(own), request.config().memory());
    StepShare share = StepShare.of(training.globalBatch(), ranks.all(), request.samples(), budget);
    Plan.Step step = step(share, budget, placement);
    Plan.Run run =
        new Plan.Run(steps(), CHECKPOINT_COPIES * memory.trainableValues() * Float.BYTES);
    SparkSettings spark = spark(own, placement);
    List<String> warnings = new PlanWarnings(request, ranks.all(), placement, step, spark).list();
    return new Plan(request, spots(placement, own), placement, step, run, spark, warnings);
  }

  /** Where ranks have their memory is decided before they are told how much they may take. */
  private int leastBudget() {
    return request.config().training().microBatchTokens() instanceof MicroBatchTokens.Given given
        ? given.tokens()
        : 1;
  }

  /** Tokens of a micro-batch, beside so many copies of the weights. */
  private int budget(int copies) {
    long bytes = request.host().topology().memory().stream().mapToLong(MemoryNode::bytes).sum();
    return new MicroBatchMemory(
            memory,
            copies * request.model().weightBytes(),
            request.config().training().microBatchTokens(),
            statistics())
        .planned("each host", bytes, ranks.count())
        .tokens();
  }

  private MemoryNeed need(long own) {
    return new MemoryNeed(request.model().weightBytes(), own);
  }

  private MicroBatchMemory.Samples statistics() {
    return new MicroBatchMemory.Samples(
        request.samples().longest(), request.samples().tokens(), samples);
  }

  /** Bytes of a rank whose micro-batches may have so many tokens; a sample is never cut. */
  private long own(int budget) {
    long step = (long) samples * request.samples().longest();
    int held = (int) Math.max(request.samples().longest(), Math.min(budget, step));
    return memory.privateBytes(held, statistics().in(held));
  }

  /** Ranks are spread over the hosts, and the first hosts have one more where they must. */
  private List<RankSpot> spots(HostPlacement placement, long own) {
    int hosts = request.host().count();
    List<RankSpot> spots = new ArrayList<>();
    for (int host = 0; host < hosts; host++) {
      int count = ranks.all() / hosts + (host < ranks.all() % hosts ? 1 : 0);
      for (int i = 0; i < count; i++) {
        spots.add(
            new RankSpot(spots.size(), host, ranks.groups().get(i), placement.ranks().get(i), own));
      }
    }
    return spots;
  }

  private Plan.Step step(StepShare share, int budget, HostPlacement placement) {
    StepModel model =
        new StepModel(
            request.model().shape(),
            Prefix.of(request.config().prefix()),
            request.model().weightBytes(),
            memory.trainableValues());
    NetworkUse network = NetworkUse.of(model.bytesPerRank(ranks.all()), hosts(), request.speeds());
    Rate read = new WeightReading(ranks, placement, request.speeds()).ofRank();
    double products = request.speeds().products().perSecond();
    StepTime time = model.time(share, ranks.cores(), products, read.perSecond(), network.seconds());
    double tokens = request.config().training().globalBatch() * request.samples().tokens();
    boolean auto = request.config().training().microBatchTokens() instanceof MicroBatchTokens.Auto;
    boolean starved = auto && share.microBatches() > 1 && budget < ENOUGH_TOKENS;
    return new Plan.Step(
        share,
        budget,
        read,
        time,
        network,
        tokens / time.total(),
        starved ? Limit.MEMORY : time.limit());
  }

  /** Those that have ranks. */
  private int hosts() {
    return Math.min(ranks.all(), request.host().count());
  }

  private OptionalLong steps() {
    Length length = request.config().training().length();
    if (length.epochs() == 0) {
      return OptionalLong.of(length.maxSteps());
    }
    OptionalLong count = request.samples().count();
    long batch = request.config().training().globalBatch();
    return count.isEmpty()
        ? count
        : OptionalLong.of((count.getAsLong() * length.epochs() + batch - 1) / batch);
  }

  private SparkSettings spark(long own, HostPlacement placement) {
    return new SparkSettings(
        hosts(),
        ranks.count(),
        ranks.cores(),
        SparkSettings.overheads(
            ranks.count(),
            own + request.config().ranks().jvm().heap(),
            request.model().weightBytes(),
            placement.copies(),
            memory.checkpointBytes()));
  }
}
