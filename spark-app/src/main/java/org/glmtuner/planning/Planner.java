package org.glmtuner.planning;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.glmtuner.config.MicroBatchTokens;
import org.glmtuner.config.TrainingConfig.Length;
import org.glmtuner.executor.MicroBatchMemory;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.RankMemory;
import org.glmtuner.planning.Weights.Copy;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.MemoryNode;

/** Makes a plan. */
public final class Planner {
  /** More tokens in a micro-batch make products no faster. */
  private static final int ENOUGH_TOKENS = 4096;

  /** Of a checkpoint: the prefix for the official code and as safetensors, and two moments. */
  private static final int CHECKPOINT_COPIES = 4;

  private final PlanRequest request;
  private final RankMemory rankMemory;

  private Planner(PlanRequest request) {
    this.request = request;
    this.rankMemory =
        new RankMemory(
            request.model().shape(),
            Prefix.of(request.config().prefix()),
            request.config().model().precision(),
            request.host().seats().get(0).cpus().size());
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
    HostPlan host = request.host();
    int ranks = worldSize();
    int onFirst = (ranks + host.count() - 1) / host.count();
    List<Seat> taken = host.seats().subList(0, onFirst);
    Weights weights = request.placement().apply(taken);
    int globalBatch = request.config().training().globalBatch();
    int samples = (globalBatch + ranks - 1) / ranks;
    int budget = budget(taken, weights, samples);
    int held = held(budget, samples);
    long own = rankMemory.privateBytes(held, statistics(samples).in(held));
    List<RankSpot> spots = spots(ranks, own);
    List<RankSpot> first = spots.stream().filter(spot -> spot.host() == 0).toList();
    List<NodeUse> nodes = NodeUse.of(host.topology(), weights, first, rankMemory.checkpointBytes());
    StepShare share = StepShare.of(globalBatch, ranks, request.samples(), budget);
    Plan.Step step = step(share, budget, ranks, taken, weights);
    Plan.Run run =
        new Plan.Run(steps(), CHECKPOINT_COPIES * rankMemory.trainableValues() * Float.BYTES);
    Plan.Memory memory = new Plan.Memory(weights, nodes);
    SparkSettings spark = spark(onFirst, ranks, own, weights);
    List<String> warnings = new PlanWarnings(request, ranks, memory, step).list();
    return new Plan(request, spots, memory, step, run, spark, warnings);
  }

  private int worldSize() {
    HostPlan host = request.host();
    int seats = host.seats().size() * host.count();
    int asked = request.config().ranks().count();
    if (asked > seats) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          String.format(
              "Cannot place %d ranks: %d host%s %d CPU groups of %d cores (ranks.count, ranks.cores, --hosts)",
              asked,
              host.count(),
              host.count() == 1 ? " has" : "s have together",
              seats,
              host.seats().get(0).cpus().size()));
    }
    return asked == 0 ? seats : asked;
  }

  /** Ranks are spread over the hosts, and the first hosts have one more where they must. */
  private List<RankSpot> spots(int ranks, long memory) {
    HostPlan host = request.host();
    List<RankSpot> spots = new ArrayList<>();
    for (int number = 0; number < host.count(); number++) {
      int count = ranks / host.count() + (number < ranks % host.count() ? 1 : 0);
      for (Seat seat : host.seats().subList(0, count)) {
        int node = NodeUse.ofRank(host.topology(), seat);
        spots.add(new RankSpot(spots.size(), number, seat, node, memory));
      }
    }
    return spots;
  }

  /** {@code most} samples of a rank are all that a micro-batch can hold. */
  private MicroBatchMemory.Samples statistics(int most) {
    return new MicroBatchMemory.Samples(
        request.samples().longest(), request.samples().tokens(), most);
  }

  /** Tokens that a micro-batch holds at most, where it may hold {@code budget}. */
  private int held(int budget, int samples) {
    long all = (long) samples * request.samples().longest();
    return (int) Math.max(request.samples().longest(), Math.min(budget, all));
  }

  /** Ranks compete for the nodes that their own memory is on. */
  private int budget(List<Seat> seats, Weights weights, int samples) {
    Topology topology = request.host().topology();
    List<MemoryNode> nodes =
        topology.memory().stream()
            .filter(
                node -> node.kind() == topology.node(NodeUse.ofRank(topology, seats.get(0))).kind())
            .toList();
    List<Integer> numbers = nodes.stream().map(MemoryNode::number).toList();
    long beside =
        weights.copies().stream()
            .filter(copy -> copy.nodes().isEmpty() || numbers.containsAll(copy.nodes()))
            .mapToLong(Copy::bytes)
            .sum();
    long bytes = nodes.stream().mapToLong(MemoryNode::bytes).sum();
    return new MicroBatchMemory(
            rankMemory, beside, request.config().training().microBatchTokens(), statistics(samples))
        .planned("each host", bytes, seats.size())
        .tokens();
  }

  private Plan.Step step(
      StepShare share, int budget, int ranks, List<Seat> seats, Weights weights) {
    StepModel model =
        new StepModel(
            request.model().shape(),
            Prefix.of(request.config().prefix()),
            request.model().weightBytes(),
            rankMemory.trainableValues());
    NetworkUse network =
        NetworkUse.of(
            model.bytesPerRank(ranks), Math.min(ranks, request.host().count()), request.speeds());
    double read =
        seats.stream().mapToDouble(seat -> readPerSecond(seat, seats, weights)).min().orElseThrow();
    StepTime time =
        model.time(
            share,
            seats.get(0).cpus().size(),
            request.speeds().products().perSecond(),
            read,
            network.seconds());
    double tokens = request.config().training().globalBatch() * request.samples().tokens();
    boolean starved = share.microBatches() > 1 && budget < ENOUGH_TOKENS && isAuto();
    return new Plan.Step(
        share,
        budget,
        read,
        time,
        network,
        tokens / time.total(),
        starved ? Limit.MEMORY : time.limit());
  }

  private boolean isAuto() {
    return request.config().training().microBatchTokens() instanceof MicroBatchTokens.Auto;
  }

  /** The least of what the memory gives to each of its readers and what the rank's cores take. */
  private double readPerSecond(Seat seat, List<Seat> seats, Weights weights) {
    OptionalDouble memory = memoryPerSecond(seat, seats, weights);
    OptionalDouble cores =
        request.speeds().coreReading().stream()
            .mapToDouble(rate -> rate.perSecond() * seat.cpus().size())
            .findFirst();
    return Stream.of(memory, cores)
        .flatMapToDouble(OptionalDouble::stream)
        .min()
        .orElseThrow(
            () ->
                TunerException.invalid(
                    "Invalid arguments: --memory-gb-s is missing (the topology does not say how fast its memory is)"));
  }

  private OptionalDouble memoryPerSecond(Seat seat, List<Seat> seats, Weights weights) {
    if (request.speeds().clusterReading().isPresent()) {
      long beside = seats.stream().filter(other -> other.cluster() == seat.cluster()).count();
      return OptionalDouble.of(request.speeds().clusterReading().get().perSecond() / beside);
    }
    Topology topology = request.host().topology();
    Copy copy = weights.of(seat.cluster());
    List<Integer> nodes =
        copy.nodes().isEmpty() ? List.of(NodeUse.ofRank(topology, seat)) : copy.nodes();
    double bandwidth = nodes.stream().mapToDouble(node -> topology.node(node).bandwidth()).sum();
    long readers =
        seats.stream().filter(other -> copy.clusters().contains(other.cluster())).count();
    return bandwidth > 0 ? OptionalDouble.of(bandwidth / readers) : OptionalDouble.empty();
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

  private SparkSettings spark(int onFirst, int ranks, long own, Weights weights) {
    return new SparkSettings(
        Math.min(ranks, request.host().count()),
        onFirst,
        request.host().seats().get(0).cpus().size(),
        SparkSettings.overheads(
            onFirst,
            own + request.config().ranks().jvm().heap(),
            request.model().weightBytes(),
            weights.copies().stream().allMatch(Copy::mapped),
            rankMemory.checkpointBytes()));
  }
}
