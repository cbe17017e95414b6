package org.glmtuner.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTest {
  private static final Topology ONE_NODE = Hosts.oneNode(0, 1); // 16 GiB

  @TempDir Path root;

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private long bytes(Topology host) {
    return HostMemory.complete(host, root).memory().get(0).bytes();
  }

  @Test
  void theOnlyNodeOfAHostHasAllOfItsMemory() throws IOException {
    write("proc/meminfo", "MemTotal:       24684084 kB\nMemFree:        17812072 kB\n");
    assertThat(bytes(ONE_NODE)).isEqualTo(24_684_084L << 10);
    write("sys/devices/system/node/online", "0\n");
    assertThat(bytes(ONE_NODE)).isEqualTo(24_684_084L << 10);
    assertThat(HostMemory.complete(ONE_NODE, root).clusters()).isEqualTo(ONE_NODE.clusters());
  }

  @Test
  void aNodeBesideOthersHasWhatItSays() throws IOException {
    write("proc/meminfo", "MemTotal:       99684084 kB\n");
    write("sys/devices/system/node/online", "0-1\n"); // of which the control group allows one
    assertThat(bytes(ONE_NODE)).isEqualTo(16L << 30);
    assertThat(HostMemory.complete(Hosts.xeonMax(), root)).isEqualTo(Hosts.xeonMax());
  }

  @Test
  void theNodesOwnCountStandsWhereTheHostSaysLessOrNothing() throws IOException {
    assertThat(bytes(ONE_NODE)).isEqualTo(16L << 30);
    write("proc/meminfo", "MemFree: 1 kB\n");
    assertThat(bytes(ONE_NODE)).isEqualTo(16L << 30);
    write("proc/meminfo", "MemTotal: much\n");
    assertThat(bytes(ONE_NODE)).isEqualTo(16L << 30);
    write("proc/meminfo", "MemTotal: 1024 kB\n");
    assertThat(bytes(ONE_NODE)).isEqualTo(16L << 30);
  }
}
