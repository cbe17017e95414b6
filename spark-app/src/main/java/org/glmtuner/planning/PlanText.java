package org.glmtuner.planning;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.glmtuner.planning.Speeds.Rate;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;

/** A plan for people. */
final class PlanText {
  private static final String INDENT = "  ";
  private static final double GIGA = 1e9;
  private static final double MEGA = 1e6;

  private final Plan plan;
  private final PlanRequest request;
  private final List<String> lines = new ArrayList<>();

  PlanText(Plan plan) {
    this.plan = plan;
    this.request = plan.request();
  }

  List<String> lines() {
    subject();
    ranks();
    memory();
    step();
    run();
    spark();
    if (!plan.warnings().isEmpty()) {
      title("Mind");
      plan.warnings().forEach(warning -> lines.add(INDENT + "- " + warning));
    }
    return lines;
  }

  private void subject() {
    Topology topology = request.host().topology();
    long sockets = topology.clusters().stream().map(c -> c.socket()).distinct().count();
    String memory =
        List.of(Kind.DRAM, Kind.HBM).stream()
            .filter(kind -> bytes(topology, kind) > 0)
            .map(kind -> gigabytes(bytes(topology, kind)) + " of " + kind)
            .collect(Collectors.joining(", "));
    ModelSizes model = request.model();
    SampleSizes samples = request.samples();
    lines.addAll(
        new Table()
            .row("hosts", request.host().count() + ", " + request.host().origin())
            .row(
                "each",
                counted(sockets, "socket")
                    + ", "
                    + counted(topology.clusters().size(), "CPU cluster")
                    + ", "
                    + counted(request.host().cores(), "core")
                    + ", "
                    + memory)
            .row(
                "model",
                format(
                    "%s: %d layers, hidden size %d, vocabulary %,d; %s of weights in %s",
                    model.origin(),
                    model.shape().layers(),
                    model.shape().hidden(),
                    model.shape().vocabulary(),
                    gigabytes(model.weightBytes()),
                    request.config().model().precision().label()))
            .row(
                "samples",
                format(
                    "%.0f tokens, %.0f of them labelled (%s)",
                    samples.tokens(), samples.labelled(), samples.origin()))
            .lines(""));
  }

  private static long bytes(Topology topology, Kind kind) {
    return topology.memory().stream()
        .filter(node -> node.kind() == kind)
        .mapToLong(node -> node.bytes())
        .sum();
  }

  private void ranks() {
    title(
        counted(plan.ranks().size(), "rank")
            + " of "
            + counted(plan.spark().cores(), "core")
            + "; "
            + plan.coresLeft()
            + " of "
            + request.host().cores()
            + " cores of a host are left");
    Table table = new Table().row("rank", "host", "socket", "cpus", "node", "memory", "weights");
    for (RankSpot spot : plan.ranks()) {
      table.row(
          Integer.toString(spot.rank()),
          Integer.toString(spot.host()),
          Integer.toString(spot.seat().socket()),
          ranges(spot.seat().cpus()),
          Integer.toString(spot.memoryNode()),
          gigabytes(spot.memory()),
          place(plan.memory().weights().of(spot.seat().cluster()).nodes()));
    }
    lines.addAll(table.lines(INDENT));
  }

  private static String place(List<Integer> nodes) {
    return nodes.isEmpty() ? "page cache" : "node " + ranges(nodes);
  }

  private void memory() {
    Weights weights = plan.memory().weights();
    title("Memory of a host");
    Table table = new Table().row("node", "kind", "size", "weights", "ranks", "left");
    for (NodeUse use : plan.memory().nodes()) {
      table.row(
          Integer.toString(use.node().number()),
          use.node().kind().name(),
          gigabytes(use.node().bytes()),
          use.weights() == 0 ? "-" : gigabytes(use.weights()),
          use.ranks() == 0 ? "-" : gigabytes(use.ranks()),
          gigabytes(use.free()));
    }
    lines.addAll(table.lines(INDENT));
    lines.add(
        INDENT
            + format(
                "weights: %s, %s, %s of %s in all: %s",
                weights.mode(),
                weights.kind(),
                weights.copies().size() == 1 ? "one copy" : weights.copies().size() + " copies",
                gigabytes(weights.bytes()),
                weights.reason()));
    HbmMode mode = HbmMode.of(request.host().topology());
    if (mode != HbmMode.NONE) {
      lines.add(INDENT + "HBM mode " + mode.label() + ": " + mode.explanation());
    }
  }

  private void step() {
    Plan.Step step = plan.step();
    StepTime time = step.time();
    title(
        format(
            "A step of %d samples takes %s, %.0f tokens/s",
            request.config().training().globalBatch(),
            seconds(time.total()),
            step.tokensPerSecond()));
    Table table = new Table().row("part", "time", "share", "");
    part(
        table,
        "products",
        time.products(),
        format("%.4g GFLOP/s a core", request.speeds().products().perSecond() / GIGA)
            + origin(request.speeds().products()));
    part(
        table,
        "reading weights",
        time.reading(),
        format(
            "%.1f GB/s a rank, %d × forward and backward",
            step.readPerSecond() / GIGA, step.share().microBatches()));
    part(table, "attention, norms", time.other(), "");
    part(table, "optimiser", time.update(), "");
    part(table, "network", time.exposed(), "what the backward does not hide");
    lines.addAll(table.lines(INDENT));
    lines.add(INDENT + "limit: " + step.limit().label() + " (" + step.limit().explanation() + ")");
    network(step);
  }

  private void network(Plan.Step step) {
    NetworkUse use = step.network();
    if (plan.ranks().size() == 1) {
      return;
    }
    Rate rate = use.bytesPerHost() > 0 ? request.speeds().link() : request.speeds().sharedMemory();
    lines.add(
        INDENT
            + format(
                "network: %.0f MB a rank and step%s, %s with %.3g GB/s%s, %.0f %% of the step, most of it beside the backward",
                use.bytesPerRank() / MEGA,
                use.bytesPerHost() > 0
                    ? format(", %.0f MB between hosts", use.bytesPerHost() / MEGA)
                    : " in shared memory",
                seconds(use.seconds()),
                rate.perSecond() / GIGA,
                origin(rate),
                100 * use.seconds() / step.time().total()));
  }

  private void part(Table table, String name, double value, String how) {
    table.row(
        name, seconds(value), format("%.0f %%", 100 * value / plan.step().time().total()), how);
  }

  private void run() {
    title("The run");
    plan.run()
        .steps()
        .ifPresent(
            steps ->
                lines.add(
                    INDENT
                        + format(
                            "%,d steps: %s, without the start and measuring on data.validation",
                            steps, duration(plan.seconds()))));
    int kept = request.config().training().intervals().keepCheckpoints();
    lines.add(
        INDENT
            + format(
                "checkpoints of %.0f MB, %s",
                plan.run().checkpointBytes() / MEGA,
                kept == 0
                    ? "all of which stay"
                    : format("%d of which stay besides the best", kept)));
  }

  private void spark() {
    title("For spark-submit");
    plan.spark()
        .conf()
        .forEach((name, value) -> lines.add(INDENT + "--conf " + name + "=" + value));
    lines.add(
        INDENT
            + format(
                "-D ranks.count=%d -D ranks.cores=%d", plan.ranks().size(), plan.spark().cores()));
    SparkSettings.Overheads overheads = plan.spark().overheads();
    if (overheads.unshared() < overheads.resident()) {
      lines.add(
          INDENT
              + format(
                  "YARN sums the resident memory of processes, so that the weights count once for each of the %s of an executor;",
                  counted(plan.spark().ranks(), "rank")));
      lines.add(INDENT + format("with %s=true", SparkSettings.SHARED_NOT_COUNTED));
      lines.add(
          INDENT
              + format(
                  "they do not count, and spark.executor.memoryOverhead=%s is enough",
                  SparkSettings.gibibytes(overheads.unshared())));
    }
  }

  private void title(String text) {
    lines.add("");
    lines.add(text);
  }

  private static String origin(Rate rate) {
    return " (" + rate.origin() + ")";
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  private static String counted(long count, String thing) {
    return count + " " + thing + (count == 1 ? "" : "s");
  }

  private static String gigabytes(long bytes) {
    return format("%.2f GB", bytes / GIGA);
  }

  private static String seconds(double seconds) {
    return seconds < 1 ? format("%.0f ms", 1e3 * seconds) : format("%.2f s", seconds);
  }

  private static String duration(double seconds) {
    long minutes = Math.round(seconds / 60);
    return minutes >= 24 * 60
        ? format("%d d %d h", minutes / (24 * 60), minutes / 60 % 24)
        : minutes >= 60
            ? format("%d h %d min", minutes / 60, minutes % 60)
            : minutes > 0 ? minutes + " min" : seconds(seconds);
  }

  /** As the kernel writes lists: {@code 0-7,64}. */
  private static String ranges(List<Integer> numbers) {
    List<Long> sorted = numbers.stream().map(Integer::longValue).sorted().toList();
    List<String> parts = new ArrayList<>();
    for (int from = 0; from < sorted.size(); ) {
      int end = from;
      while (end + 1 < sorted.size() && sorted.get(end + 1) == sorted.get(end) + 1) {
        end++;
      }
      parts.add(
          LongStream.of(sorted.get(from), sorted.get(end))
              .distinct()
              .mapToObj(Long::toString)
              .collect(Collectors.joining("-")));
      from = end + 1;
    }
    return String.join(",", parts);
  }
}
