package org.glmtuner.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.glmtuner.data.Sample;
import org.glmtuner.executor.HostTopology;
import org.glmtuner.topology.CpuList;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the threads of real ranks are while they train: the JVM's, OpenMP's, MPI's and ours. */
class RankBindingIT {
  private static final String ALLOWED = "Cpus_allowed_list:";

  @TempDir static Path directory;

  private static Settings settings(String isa) throws InterruptedException {
    Path cache = directory.resolve("cache");
    Topology host = HostTopology.read(cache);
    assumeTrue(host.cpus().size() >= 2, "two ranks need two CPUs");
    return new Settings(
        new ModelShape(2, 64, 4, 256, 64, 8),
        Map.of(
            "cache.directory",
            cache.toString(),
            "ranks.claims",
            directory.resolve("cpus.lock").toString(),
            "engine.isa",
            isa,
            "ranks.require-binding",
            "true"),
        new Settings.Group(2, 1),
        host,
        Path.of("no FMA peak is measured"));
  }

  /** What the kernel lets each thread of a process run on. */
  private static List<List<Integer>> allowed(long process) throws IOException {
    List<List<Integer>> allowed = new ArrayList<>();
    try (DirectoryStream<Path> tasks =
        Files.newDirectoryStream(Path.of("/proc/" + process + "/task"))) {
      for (Path task : tasks) {
        for (String line : Files.readAllLines(task.resolve("status"))) {
          if (line.startsWith(ALLOWED)) {
            allowed.add(CpuList.parse(line.substring(ALLOWED.length())));
          }
        }
      }
    }
    return allowed;
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "generic"})
  void everyThreadOfARankIsOnItsCpus(String isa) throws Exception {
    Settings settings = settings(isa);
    Path file = BenchmarkRows.write(directory.resolve(isa + ".jsonl"), 4);
    List<Sample> rows = TokenRows.read(file, settings.model()).samples();
    Path weights = new StepRun(settings).weights();
    try (TrainingGroup group = TrainingGroup.start(settings, weights)) {
      group.step(List.of(rows.subList(0, 2), rows.subList(2, 4)));
      for (int rank = 0; rank < 2; rank++) {
        List<List<Integer>> threads = allowed(group.ranks().pid(rank));
        assertThat(threads).hasSizeBetween(8, 40);
        assertThat(threads).containsOnly(List.of(group.ranks().cpus().get(rank)));
      }
      assertThat(group.ranks().cpus()).doesNotHaveDuplicates().hasSize(2);
      group.finish();
    }
  }
}
