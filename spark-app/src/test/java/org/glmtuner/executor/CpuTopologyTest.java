package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.executor.CpuTopology.CpuCluster;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuTopologyTest {
  @TempDir Path root;

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text + "\n");
  }

  /** Two sockets of two NUMA nodes of four CPUs each. */
  private CpuTopology host(String allowed) throws IOException {
    write("proc/self/status", "Name:\tjava\nCpus_allowed_list:\t" + allowed);
    for (int node = 0; node < 4; node++) {
      write("sys/devices/system/node/node" + node + "/cpulist", 4 * node + "-" + (4 * node + 3));
      for (int cpu = 4 * node; cpu < 4 * node + 4; cpu++) {
        write(
            "sys/devices/system/cpu/cpu" + cpu + "/topology/physical_package_id",
            Integer.toString(node / 2));
      }
    }
    return CpuTopology.read(root);
  }

  private static List<String> describe(List<CpuCluster> clusters) {
    return clusters.stream().map(c -> c.socket() + ":" + CpuTopology.formatList(c.cpus())).toList();
  }

  @Test
  void clustersAreTheNumaNodesAsFarAsAllowed() throws IOException {
    assertThat(describe(host("2-9,12").clusters()))
        .containsExactly("0:2,3", "0:4,5,6,7", "1:8,9", "1:12");
  }

  @Test
  void groupsDoNotCrossClusters() throws IOException {
    assertThat(describe(host("0-15").groups(3)))
        .containsExactly("0:0,1,2", "0:4,5,6", "1:8,9,10", "1:12,13,14");
  }

  @Test
  void aGroupLargerThanEveryClusterTakesNeighbours() throws IOException {
    assertThat(describe(host("0-15").groups(8)))
        .containsExactly("0:0,1,2,3,4,5,6,7", "0:8,9,10,11,12,13,14,15");
  }

  @Test
  void thereIsNoGroupLargerThanTheHost() throws IOException {
    assertThat(host("0-3").groups(5)).isEmpty();
  }

  @Test
  void aHostWithoutNumaIsOneCluster() throws IOException {
    write("proc/self/status", "Cpus_allowed_list:\t0-1");
    assertThat(describe(CpuTopology.read(root).clusters())).containsExactly("0:0,1");
  }

  @Test
  void thisHostHasCpus() {
    assertThat(CpuTopology.read().clusters()).isNotEmpty();
  }
}
