package org.glmtuner.planning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.glmtuner.planning.Plans.plan;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlanTextTest {
  @TempDir static Path cache;
  private static Topology flat;
  private static Topology cacheMode;

  @BeforeAll
  static void readTopologies() throws Exception {
    flat = Machines.xeonMax("flat", cache);
    cacheMode = Machines.xeonMax("cache", cache);
  }

  private static List<String> section(Plan plan, String title) {
    List<String> text = plan.toText();
    int start = text.indexOf(title);
    assertThat(start).as("%s in %s", title, text).isNotNegative();
    List<String> rest = text.subList(start + 1, text.size());
    int end = rest.indexOf("");
    return end < 0 ? rest : rest.subList(0, end);
  }

  @Test
  void ranksHaveALineEach() {
    assertThat(section(plan(flat), "8 ranks of 8 cores; 0 of 64 cores of a host are left"))
        .hasSize(9)
        .startsWith("  rank  host  socket  cpus   node   memory  on node  weights")
        .endsWith("     7     0       1  56-63     7  1.53 GB       15  node 15");
    assertThat(section(plan(flat, 2), "16 ranks of 8 cores; 0 of 64 cores of a host are left"))
        .hasSize(10)
        .endsWith("  ranks 8 to 15 in the same way on the other hosts");
  }

  @Test
  void memoryHasALineForEachNodeAndTheReason() {
    assertThat(section(plan(flat), "Memory of a host"))
        .hasSize(10)
        .startsWith("  node  kind      size   weights    ranks     left")
        .contains("     8  HBM   17.18 GB  12.35 GB  1.53 GB  3.30 GB")
        .contains("    15  HBM   17.18 GB  12.35 GB  1.53 GB  3.30 GB")
        .endsWith(
            "  weights: a copy for each NUMA node in HBM, 98.80 GB in all, because there is room for the weights, 12.35 GB a copy, and the 1.53 GB that each rank has for itself, in HBM");
    assertThat(section(plan(cacheMode), "Memory of a host"))
        .contains("     0  DRAM  68.72 GB  3.09 GB  1.53 GB  64.10 GB")
        .last()
        .asString()
        .startsWith(
            "  weights: a copy for each socket in DRAM, 24.70 GB in all, because there is room")
        .contains(
            "; not a copy for each NUMA node in DRAM: weights and ranks, 13.88 GB, would fill");
  }

  @Test
  void theNetworksPartIsToldAndWhatTheBackwardHidesOfIt() {
    assertThat(plan(flat).toText())
        .contains(
            "  network: 206 MB a rank and step in shared memory, 103 ms with 2.00 GB/s (assumed), 1 % of the step; the backward hides 99 ms of it");
    assertThat(plan(Machines.small(2, 64L << 30)).toText())
        .noneMatch(line -> line.startsWith("  network: "));
    Plan slow = plan(flat, 2, "training.global-batch=16");
    double hidden = slow.step().network().seconds() - slow.step().time().exposed();
    assertThat(hidden).isCloseTo(0.176 * 27 / 28, within(1e-3));
    assertThat(slow.toText())
        .anyMatch(
            line ->
                line.matches(
                    "  network: 220 MB a rank and step, 220 MB between hosts, 176 ms with 1\\.25 GB/s \\(assumed: 10 Gbit/s\\), \\d+ % of the step; the backward hides 170 ms of it"));
  }

  @Test
  void aNetworkThatTheBackwardCannotHideIsNotSaidToBeHidden() {
    Speeds fast = Plans.SPEEDS;
    Speeds slow =
        new Speeds(
            fast.products(),
            fast.coreReading(),
            fast.clusterReading(),
            fast.sharedMemory(),
            new Speeds.Rate(0.01e9, "given"));
    Plan plan = plan(flat, 2, slow);
    assertThat(plan.step().limit()).isEqualTo(Limit.NETWORK);
    double hidden = plan.step().network().seconds() - plan.step().time().exposed();
    assertThat(hidden).isLessThan(0.5 * plan.step().time().exposed());
    assertThat(plan.toText())
        .anyMatch(
            line -> line.endsWith("the backward hides " + Amounts.seconds(hidden) + " of it"));
  }

  @Test
  void sparkIsToldFiveSettingsAndWhereRanksAre() {
    assertThat(plan(flat).spark().conf())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "spark.executor.instances", "1",
                "spark.executor.cores", "64",
                "spark.executor.memory", "2g",
                "spark.executor.memoryOverhead", "109g",
                "spark.task.cpus", "1"));
    assertThat(section(plan(flat), "For spark-submit"))
        .containsExactly(
            "  --conf spark.executor.instances=1",
            "  --conf spark.executor.cores=64",
            "  --conf spark.executor.memory=2g",
            "  --conf spark.executor.memoryOverhead=109g",
            "  --conf spark.task.cpus=1",
            "  -D ranks.count=8 -D ranks.cores=8");
    assertThat(section(plan(flat, 3, "ranks.count=8"), "For spark-submit"))
        .startsWith(
            "  --conf spark.executor.instances=3",
            "  --conf spark.executor.cores=24",
            "  --conf spark.executor.memory=2g",
            "  --conf spark.executor.memoryOverhead=41g",
            "  --conf spark.task.cpus=1",
            "  -D ranks.count=8 -D ranks.cores=8");
  }

  @Test
  void yarnCountsMappedWeightsOnceForEachRank() {
    Plan mapped = plan(Machines.small(2, 64L << 30), "ranks.count=2");
    SparkSettings.Overheads overheads = mapped.spark().overheads();
    assertThat(overheads.resident() - overheads.unshared()).isEqualTo(Plans.MODEL.weightBytes());
    double rank = mapped.ranks().get(0).memory() / 1e9 + 0.537; // and its heap
    double checkpoint = 0.352;
    double heap = 0.403; // what Spark adds for the executor's
    assertThat(overheads.unshared() / 1e9)
        .isCloseTo(12.350 + 2 * rank + checkpoint + heap, within(0.01));
    assertThat(section(mapped, "For spark-submit"))
        .contains(
            "  --conf spark.executor.memoryOverhead=31g",
            "  YARN sums the resident memory of processes, so that the weights count once for each of the 2 ranks of an executor;",
            "  with " + SparkSettings.SHARED_NOT_COUNTED + "=true")
        .endsWith(
            "  they count for none but have to fit, and spark.executor.memoryOverhead=20g is enough");
    Plan copies = plan(cacheMode);
    assertThat(copies.spark().overheads().resident() - copies.spark().overheads().unshared())
        .isEqualTo(6 * Plans.MODEL.weightBytes()); // of eight ranks with two copies
    SparkSettings.Overheads own = plan(flat).spark().overheads();
    assertThat(own.unshared()).isEqualTo(own.resident());
  }

  /** Some write numbers with commas for points, with other digits, or an i without a dot. */
  @ParameterizedTest
  @ValueSource(strings = {"de-DE", "tr-TR", "ar-EG-u-nu-arab"})
  void aPlanReadsTheSameWhereverItIsMade(String locale) {
    Plan plan = plan(flat, 2);
    List<String> text = plan.toText();
    String json = plan.toJson();
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag(locale));
    try {
      Plan there = plan(flat, 2);
      assertThat(there.toText()).isEqualTo(text);
      assertThat(there.toJson()).isEqualTo(json);
    } finally {
      Locale.setDefault(before);
    }
  }
}
