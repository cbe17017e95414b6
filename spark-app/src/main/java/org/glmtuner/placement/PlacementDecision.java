package org.glmtuner.placement;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.glmtuner.config.MemoryConfig;
import org.glmtuner.config.MemoryConfig.Weights;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.placement.HostPlacement.Mode;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/**
 * Chooses where the ranks of a host have their weights and their own memory.
 *
 * <p>With {@code memory.weights = auto}, the first of these that the nodes have room for: a copy
 * for each NUMA node that has ranks, a copy for each socket, whose pages its nodes take in turn,
 * and the mapped weight file; all of it in HBM first, then in DRAM. A host with one node needs no
 * copy. What a rank has for itself goes into its HBM as far as that has room beside the weights,
 * and into DRAM otherwise; where there is one kind of memory, next to its CPUs.
 *
 * <p>A copy for each node competes with the node's other memory for the cache in front of it, where
 * there is one, and such caches keep each line in one place only: when they are asked for as many
 * bytes as they have, most lines have a rival. So a copy for each node may fill half of the cache
 * together with the ranks' own memory; a copy for each socket is spread over several caches.
 */
public final class PlacementDecision {
  private static final String KEYS = " (memory.kind, memory.weights)";

  private final List<MemoryNode> memory;
  private final List<CpuGroup> ranks;
  private final MemoryNeed need;
  private final MemoryConfig config;

  private PlacementDecision(
      List<MemoryNode> memory, List<CpuGroup> ranks, MemoryNeed need, MemoryConfig config) {
    this.memory = memory;
    this.ranks = ranks;
    this.need = need;
    this.config = config;
  }

  /**
   * Decides for a host.
   *
   * @param memory the host's NUMA nodes
   * @param ranks all that run on it; at least one
   * @throws TunerException (exit code 3) with the numbers where the host cannot do what is asked
   */
  public static HostPlacement decide(
      List<MemoryNode> memory, List<CpuGroup> ranks, MemoryNeed need, MemoryConfig config) {
    return new PlacementDecision(memory, ranks, need, config).decide();
  }

  /**
   * The mapped weight file, where copies were planned and something else speaks against them.
   *
   * @param reason what does
   */
  public static HostPlacement mapped(
      List<MemoryNode> memory,
      List<CpuGroup> ranks,
      MemoryNeed need,
      MemoryConfig config,
      String reason) {
    return new PlacementDecision(memory, ranks, need, config).mapped(reason);
  }

  /** The same placement, of ranks that by now have more for themselves. */
  public static HostPlacement grown(
      HostPlacement decided,
      List<MemoryNode> memory,
      List<CpuGroup> ranks,
      MemoryNeed need,
      MemoryConfig config) {
    PlacementDecision grown = new PlacementDecision(memory, ranks, need, config);
    NodeLoads loads = new NodeLoads(memory, need);
    if (decided.mode() != Mode.MAPPED) {
      decided.ranks().stream().map(RankPlacement::nodes).distinct().forEach(loads::addWeights);
    } else if (memory.size() == 1) {
      loads.addWeights(List.of(memory.get(0).number()));
    }
    ranks.forEach(rank -> loads.addOwn(rank.nodes(), grown.prefersHbm()));
    return new HostPlacement(
        decided.mode(),
        decided.kind(),
        decided.ranks(),
        loads.uses(),
        decided.elsewhere(),
        decided.reason());
  }

  private HostPlacement decide() {
    if (config.kind() != MemoryConfig.Kind.AUTO) {
      requireKind(config.kind() == MemoryConfig.Kind.HBM ? Kind.HBM : Kind.DRAM);
    }
    if (config.weights() == Weights.SHARED) {
      return mapped("memory.weights = shared");
    }
    if (config.weights() == Weights.AUTO && memory.size() == 1) {
      return mapped("the host has one NUMA node");
    }
    List<String> obstacles = new ArrayList<>();
    for (Kind kind : kinds()) {
      for (Mode mode : modes()) {
        Candidate candidate = new Candidate(kind, mode);
        Optional<String> obstacle = candidate.obstacle();
        if (obstacle.isEmpty()) {
          return candidate.placement(obstacles);
        }
        obstacles.add(
            String.format(Locale.ROOT, "not %s in %s: %s", mode.title(), kind, obstacle.get()));
      }
    }
    boolean mappedInHbm = oneKind(); // where there is HBM only, the page cache is in it
    if (config.weights() == Weights.AUTO
        && (config.kind() != MemoryConfig.Kind.HBM || mappedInHbm)) {
      return mapped(String.join("; ", obstacles));
    }
    throw unsuitable(String.join("; ", obstacles));
  }

  private void requireKind(Kind kind) {
    if (memory.stream().noneMatch(node -> node.kind() == kind)) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          String.format(
              Locale.ROOT,
              "Cannot place the weights in %s: the host has none, its memory is %s (memory.kind)",
              kind,
              describe(memory)));
    }
  }

  private static String describe(List<MemoryNode> nodes) {
    Map<Kind, Long> bytes = new LinkedHashMap<>();
    nodes.forEach(node -> bytes.merge(node.kind(), node.bytes(), Long::sum));
    return String.join(
        " and ",
        bytes.entrySet().stream()
            .map(entry -> Bytes.gigabytes(entry.getValue()) + " of " + entry.getKey())
            .toList());
  }

  private static TunerException unsuitable(String reason) {
    return new TunerException(ExitCode.UNSUITABLE, "Cannot place the weights: " + reason + KEYS);
  }

  private List<Kind> kinds() {
    return switch (config.kind()) {
      case HBM -> List.of(Kind.HBM);
      case DRAM -> List.of(Kind.DRAM);
      case AUTO ->
          List.of(Kind.HBM, Kind.DRAM).stream()
              .filter(kind -> memory.stream().anyMatch(node -> node.kind() == kind))
              .toList();
    };
  }

  private List<Mode> modes() {
    return config.weights() == Weights.PER_CLUSTER
        ? List.of(Mode.PER_NODE)
        : List.of(Mode.PER_NODE, Mode.PER_SOCKET);
  }

  /**
   * The page cache takes the nearest memory of whoever reads the file first: with CPUs, so DRAM.
   * Ranks that prefer HBM for their own memory read it to its end first, without that preference.
   */
  private HostPlacement mapped(String reason) {
    Kind kind = oneKind() ? memory.get(0).kind() : Kind.DRAM;
    if (config.kind() == MemoryConfig.Kind.HBM && kind != Kind.HBM) {
      throw unsuitable(
          "the kernel reads a mapped file into DRAM, memory.kind = hbm needs a copy in HBM");
    }
    long all = memory.stream().mapToLong(MemoryNode::bytes).sum();
    long needed = need.weights() + ranks.size() * need.rank();
    if (needed > all) {
      throw unsuitable(
          String.format(
              Locale.ROOT,
              "the mapped weight file and %d ranks need %s, the host has %s",
              ranks.size(),
              Bytes.gigabytes(needed),
              describe(memory)));
    }
    NodeLoads loads = new NodeLoads(memory, need);
    boolean oneNode = memory.size() == 1;
    if (oneNode) {
      loads.addWeights(List.of(memory.get(0).number()));
    }
    List<RankPlacement> placed = new ArrayList<>();
    for (CpuGroup rank : ranks) {
      loads.addOwn(rank.nodes(), prefersHbm());
      int preferred = loads.preferred(rank.nodes(), prefersHbm());
      placed.add(new RankPlacement(List.of(), true, preferred, false, preferenceRequired()));
    }
    return new HostPlacement(
        Mode.MAPPED, kind, placed, loads.uses(), oneNode ? 0 : need.weights(), reason);
  }

  private boolean oneKind() {
    return memory.stream().map(MemoryNode::kind).distinct().count() == 1;
  }

  private boolean prefersHbm() {
    return config.kind() != MemoryConfig.Kind.DRAM && !oneKind();
  }

  /** What was asked for by name is not given up silently. */
  private boolean copyRequired() {
    return config.kind() != MemoryConfig.Kind.AUTO || config.weights() != Weights.AUTO;
  }

  /** {@code memory.weights} says nothing of the ranks' own memory. */
  private boolean preferenceRequired() {
    return config.kind() == MemoryConfig.Kind.HBM;
  }

  /** Copies in memory of one kind, for the ranks of a node or of a socket each. */
  private final class Candidate {
    private final Kind kind;
    private final Mode mode;
    private final NodeLoads loads = new NodeLoads(memory, need);
    private final List<List<Integer>> copies = new ArrayList<>(); // by rank, the nodes of its copy

    Candidate(Kind kind, Mode mode) {
      this.kind = kind;
      this.mode = mode;
    }

    /** Why it cannot be, or is not to be. */
    Optional<String> obstacle() {
      for (CpuGroup rank : ranks) {
        List<Integer> nodes = nodes(rank);
        if (nodes.isEmpty()) {
          return Optional.of("no " + kind + " is beside CPU " + rank.cpus().get(0));
        }
        copies.add(nodes);
      }
      if (mode == Mode.PER_SOCKET && copies.equals(new Candidate(kind, Mode.PER_NODE).all())) {
        return Optional.of("each socket has one such node");
      }
      copies.stream().distinct().forEach(loads::addWeights);
      Optional<String> tooLarge = loads.overflow("the weights", 0);
      if (tooLarge.isPresent()) {
        return tooLarge;
      }
      ranks.forEach(rank -> loads.addOwn(rank.nodes(), prefersHbm()));
      return loads
          .overflow("weights and ranks", reserved())
          .or(
              () ->
                  mode == Mode.PER_NODE && modes().size() > 1
                      ? loads.crowdedCache()
                      : Optional.empty());
    }

    private List<List<Integer>> all() {
      return ranks.stream().map(this::nodes).toList();
    }

    private List<Integer> nodes(CpuGroup rank) {
      TreeSet<Integer> nodes = new TreeSet<>(loads.ofKind(rank.nodes(), kind));
      if (mode == Mode.PER_SOCKET) {
        ranks.stream()
            .filter(other -> other.socket() == rank.socket())
            .forEach(other -> nodes.addAll(loads.ofKind(other.nodes(), kind)));
      }
      return List.copyOf(nodes);
    }

    /** Where the memory has nothing else beside it, the rest of the system is in it too. */
    private long reserved() {
      return oneKind() && config.weights() == Weights.AUTO ? NodeLoads.REST_OF_SYSTEM : 0;
    }

    HostPlacement placement(List<String> obstacles) {
      List<RankPlacement> placed = new ArrayList<>();
      for (int rank = 0; rank < ranks.size(); rank++) {
        List<Integer> nodes = copies.get(rank);
        boolean shared = copies.stream().filter(nodes::equals).count() > 1;
        int preferred = loads.preferred(ranks.get(rank).nodes(), prefersHbm());
        placed.add(
            new RankPlacement(nodes, shared, preferred, copyRequired(), preferenceRequired()));
      }
      List<String> reasons = new ArrayList<>();
      reasons.add(loads.fitting());
      reasons.addAll(obstacles);
      return new HostPlacement(mode, kind, placed, loads.uses(), 0, String.join("; ", reasons));
    }
  }
}
