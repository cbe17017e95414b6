package org.glmtuner.planning;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.glmtuner.placement.HostPlacement;
import org.glmtuner.placement.HostPlacement.NodeUse;
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
    String memory =
        List.of(Kind.DRAM, Kind.HBM).stream()
            .filter(kind -> bytes(topology, kind) > 0)
            .map(kind -> Amounts.gigabytes(bytes(topology, kind)) + " of " + kind)
            .collect(Collectors.joining(", "));
    ModelSizes model = request.model();
    SampleSizes samples = request.samples();
    lines.addAll(
        new Table()
            .row("hosts", request.host().count() + ", " + request.host().origin())
            .row(
                "each",
                Amounts.counted(request.host().sockets(), "socket")
                    + ", "
                    + Amounts.counted(topology.clusters().size(), "CPU cluster")
                    + ", "
                    + Amounts.counted(request.host().cores(), "core")
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
                    Amounts.gigabytes(model.weightBytes()),
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
        Amounts.counted(plan.ranks().size(), "rank")
            + " of "
            + Amounts.counted(plan.spark().cores(), "core")
            + "; "
            + plan.coresLeft()
            + " of "
            + request.host().cores()
            + " cores of a host are left");
    Topology topology = request.host().topology();
    Table table =
        new Table().row("rank", "host", "socket", "cpus", "node", "memory", "on node", "weights");
    List<RankSpot> shown = plan.ranks().stream().filter(spot -> spot.host() == 0).toList();
    for (RankSpot spot : shown) {
      table.row(
          Integer.toString(spot.rank()),
          Integer.toString(spot.host()),
          Integer.toString(spot.cpus().socket()),
          Amounts.ranges(spot.cpus().cpus()),
          Integer.toString(RankSpot.home(topology, spot.cpus())),
          Amounts.gigabytes(spot.memory()),
          Integer.toString(spot.memoryNode(topology)),
          spot.placement().copied()
              ? "node " + Amounts.ranges(spot.placement().nodes())
              : "page cache");
    }
    lines.addAll(table.lines(INDENT));
    if (shown.size() < plan.ranks().size()) {
      lines.add(
          INDENT
              + format(
                  "ranks %d to %d in the same way on the other hosts",
                  shown.size(), plan.ranks().size() - 1));
    }
  }

  private void memory() {
    HostPlacement placement = plan.placement();
    title("Memory of a host");
    Table table = new Table().row("node", "kind", "size", "weights", "ranks", "left");
    for (NodeUse use : placement.uses()) {
      table.row(
          Integer.toString(use.node()),
          use.kind().name(),
          Amounts.gigabytes(use.size()),
          use.weights() == 0 ? "-" : Amounts.gigabytes(use.weights()),
          use.own() == 0 ? "-" : Amounts.gigabytes(use.own()),
          Amounts.gigabytes(use.size() - use.weights() - use.own()));
    }
    lines.addAll(table.lines(INDENT));
    lines.add(
        INDENT
            + format(
                "weights: %s in %s, %s in all, because %s",
                placement.mode().title(),
                placement.kind(),
                Amounts.gigabytes(plan.weightBytes()),
                placement.reason()));
    hbmModes(HbmMode.of(request.host().topology()));
  }

  private void hbmModes(HbmMode mode) {
    if (mode == HbmMode.NONE) {
      return;
    }
    title("HBM is in mode " + mode.label());
    Table table = new Table();
    HbmMode.OF_HBM.forEach(each -> table.row(each.label(), each.explanation()));
    lines.addAll(table.lines(INDENT));
  }

  private void step() {
    Plan.Step step = plan.step();
    StepTime time = step.time();
    title(
        format(
            "A step of %d samples takes %s, %.0f tokens/s",
            request.config().training().globalBatch(),
            Amounts.seconds(time.total()),
            step.tokensPerSecond()));
    Table table = new Table().row("part", "time", "share", "");
    part(
        table,
        "products",
        time.products(),
        format("%.1f GFLOP/s a core", request.speeds().products().perSecond() / GIGA)
            + origin(request.speeds().products()));
    part(
        table,
        "reading weights",
        time.reading(),
        format(
            "%.1f GB/s a rank%s, forward and backward of %s",
            step.reading().perSecond() / GIGA,
            origin(step.reading()),
            Amounts.counted(step.share().microBatches(), "micro-batch")));
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
                "network: %.0f MB a rank and step%s, %s with %.3g GB/s%s, %.0f %% of the step; the backward hides %s of it",
                use.bytesPerRank() / MEGA,
                use.bytesPerHost() > 0
                    ? format(", %.0f MB between hosts", use.bytesPerHost() / MEGA)
                    : " in shared memory",
                Amounts.seconds(use.seconds()),
                rate.perSecond() / GIGA,
                origin(rate),
                100 * use.seconds() / step.time().total(),
                Amounts.seconds(use.seconds() - step.time().exposed())));
  }

  private void part(Table table, String name, double value, String how) {
    table.row(
        name,
        Amounts.seconds(value),
        format("%.0f %%", 100 * value / plan.step().time().total()),
        how);
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
                            steps, Amounts.duration(plan.seconds()))));
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
    String unshared = SparkSettings.gibibytes(overheads.unshared());
    if (!unshared.equals(SparkSettings.gibibytes(overheads.resident()))) {
      lines.add(
          INDENT
              + format(
                  "YARN sums the resident memory of processes, so that the weights count once for each of the %s of an executor;",
                  Amounts.counted(plan.spark().ranks(), "rank")));
      lines.add(INDENT + format("with %s=true", SparkSettings.SHARED_NOT_COUNTED));
      lines.add(
          INDENT
              + format(
                  "they count for none but have to fit, and spark.executor.memoryOverhead=%s is enough",
                  unshared));
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
}
