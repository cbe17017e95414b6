package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Core;
import org.glmtuner.topology.Topology.CpuCluster;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostTopologyTest {
  private static final long GIB = 1L << 30;

  @TempDir static Path cache;

  private static Topology xeonMax(String mode) throws Exception {
    Path file =
        Path.of(
            HostTopologyTest.class
                .getResource("/topologies/xeonmax9462-snc4-" + mode + ".xml")
                .toURI());
    Topology host = HostTopology.ofFile(cache, file);
    assertThat(host.clusters()).hasSize(8);
    for (int i = 0; i < 8; i++) {
      CpuCluster cluster = host.clusters().get(i);
      assertThat(cluster.socket()).isEqualTo(i / 4);
      assertThat(cluster.cores().stream().map(Core::cpus))
          .containsExactlyElementsOf(
              IntStream.range(8 * i, 8 * i + 8).mapToObj(cpu -> List.of(cpu, cpu + 64)).toList());
    }
    return host;
  }

  private static MemoryNode dram(int number, long cacheBytes) {
    return new MemoryNode(number, 64 * GIB, Kind.DRAM, 76_800_000_000L, cacheBytes);
  }

  private static MemoryNode hbm(int number) {
    return new MemoryNode(number, 16 * GIB, Kind.HBM, 409_600_000_000L, 0);
  }

  @Test
  void flatModeIsRead() throws Exception {
    Topology host = xeonMax("flat");
    assertThat(host.memory())
        .containsExactlyElementsOf(
            IntStream.range(0, 16).mapToObj(i -> i < 8 ? dram(i, 0) : hbm(i)).toList());
    assertThat(host.clusters().get(3).nodes()).containsExactly(3, 11);
  }

  @Test
  void hbmOnlyModeIsRead() throws Exception {
    Topology host = xeonMax("hbmonly");
    assertThat(host.memory())
        .containsExactlyElementsOf(IntStream.range(0, 8).mapToObj(HostTopologyTest::hbm).toList());
    assertThat(host.clusters().get(3).nodes()).containsExactly(3);
  }

  @Test
  void cacheModeIsRead() throws Exception {
    assertThat(xeonMax("cache").memory())
        .containsExactlyElementsOf(IntStream.range(0, 8).mapToObj(i -> dram(i, 16 * GIB)).toList());
  }

  @Test
  void ofThisHostWhatTheProcessMayUseIsRead() throws Exception {
    Topology host = HostTopology.read(cache);
    assertThat(
            host.clusters().stream()
                .flatMap(cluster -> cluster.cores().stream())
                .flatMap(core -> core.cpus().stream()))
        .hasSize(Runtime.getRuntime().availableProcessors());
    assertThat(host.memory())
        .isNotEmpty()
        .allSatisfy(node -> assertThat(node.bytes()).isPositive());
    for (CpuCluster cluster : host.clusters()) {
      assertThat(cluster.nodes()).isNotEmpty().allSatisfy(node -> host.node(node));
    }
  }

  @Test
  void aFileThatIsNoTopologyIsRefusedWithOneSentence() throws Exception {
    Path file = Files.writeString(cache.resolve("no.xml"), "<topology/>");
    for (Path bad : List.of(file, cache.resolve("missing.xml"), cache)) {
      assertThatThrownBy(() -> HostTopology.ofFile(cache, bad))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
          .hasMessageStartingWith("Cannot read " + bad + ": ")
          .hasMessageNotContaining("\n");
    }
  }
}
