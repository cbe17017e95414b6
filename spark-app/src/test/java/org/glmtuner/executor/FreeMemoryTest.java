package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.SparkConf;
import org.glmtuner.executor.MemoryLimit.Kind;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FreeMemoryTest {
  private static final MemoryLimit HOST = new MemoryLimit(Kind.HOST, "", 23_137_160L << 10);

  @TempDir Path root;

  @BeforeEach
  void write() throws IOException {
    write(
        "proc/meminfo",
        """
        MemTotal:       24623044 kB
        MemFree:        10226128 kB
        MemAvailable:   23137160 kB
        Buffers:          119336 kB
        """);
  }

  private void write(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void aHostWithoutControlGroupsHasWhatTheKernelSays() throws IOException {
    assertThat(FreeMemory.read(root)).containsExactly(HOST);
  }

  @Test
  void aHostThatDoesNotSayWhatItHasIsRefused() throws IOException {
    write("proc/meminfo", "MemTotal:       24623044 kB\n");
    assertThatThrownBy(() -> FreeMemory.read(root))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("MemAvailable");
  }

  @Test
  void ofTheSecondVersionEveryGroupWithALimitCountsAndPageCacheIsFree() throws IOException {
    write("proc/self/cgroup", "0::/kubepods.slice/pod1/box\n");
    write("sys/fs/cgroup/memory.stat", "anon 9\n"); // the root has no limit
    write("sys/fs/cgroup/kubepods.slice/memory.max", "max\n");
    write("sys/fs/cgroup/kubepods.slice/pod1/memory.max", "17179869184\n");
    write("sys/fs/cgroup/kubepods.slice/pod1/memory.current", "2147483648\n");
    write(
        "sys/fs/cgroup/kubepods.slice/pod1/memory.stat",
        "anon 1073741824\nfile 1073741824\nshmem 4096\ninactive_file 536866816\nactive_file 536870912\n");
    write("sys/fs/cgroup/kubepods.slice/pod1/box/memory.max", "8589934592\n");
    write("sys/fs/cgroup/kubepods.slice/pod1/box/memory.current", "9589934592\n"); // as it may be
    write("sys/fs/cgroup/kubepods.slice/pod1/box/memory.stat", "inactive_file 0\n");
    assertThat(FreeMemory.read(root))
        .containsExactly(
            HOST,
            new MemoryLimit(Kind.CONTROL_GROUP, "/kubepods.slice/pod1/box", 0),
            new MemoryLimit(Kind.CONTROL_GROUP, "/kubepods.slice/pod1", (15L << 30) - 4096));
  }

  @Test
  void aContainerThatSeesItsOwnGroupAsTheRootIsLimitedByIt() throws IOException {
    write("sys/fs/cgroup/memory.max", "4294967296\n");
    write("sys/fs/cgroup/memory.current", "1073741824\n");
    write("sys/fs/cgroup/memory.stat", "inactive_file 73741824\nactive_file 0\n");
    for (String path : new String[] {"/", "/docker/0a1b", "/../../other"}) {
      write("proc/self/cgroup", "0::" + path + "\n");
      assertThat(FreeMemory.read(root))
          .as(path)
          .containsExactly(
              HOST, new MemoryLimit(Kind.CONTROL_GROUP, "/", 4294967296L - 1_000_000_000));
    }
  }

  @Test
  void ofTheFirstVersionTheMemoryControllerCountsWhereverItIsListed() throws IOException {
    write(
        "proc/self/cgroup",
        """
        9:name=systemd:/
        4:cpuset,memory:/yarn/container_1
        1:cpu:/elsewhere
        0::/
        """);
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("sys/fs/cgroup/memory/yarn/container_1/memory.limit_in_bytes", "3221225472\n");
    write("sys/fs/cgroup/memory/yarn/container_1/memory.usage_in_bytes", "2221225472\n");
    write(
        "sys/fs/cgroup/memory/yarn/container_1/memory.stat",
        "cache 7\nactive_file 5\ntotal_inactive_file 100000000\ntotal_active_file 200000000\n");
    assertThat(FreeMemory.read(root))
        .containsExactly(
            HOST, new MemoryLimit(Kind.CONTROL_GROUP, "/yarn/container_1", 1_300_000_000));
  }

  @Test
  void aYarnContainerHasWhatIsOutsideTheExecutorsHeap() {
    SparkConf spark = new SparkConf(false).set("spark.master", "yarn");
    assertThat(FreeMemory.yarn(spark, "3"))
        .contains(new MemoryLimit(Kind.YARN_CONTAINER, "3", 384L << 20));
    spark.set("spark.executor.memory", "20g");
    assertThat(FreeMemory.yarn(spark, "3").orElseThrow().freeBytes()).isEqualTo(2048L << 20);
    spark.set("spark.executor.memoryOverheadFactor", "0.5");
    assertThat(FreeMemory.yarn(spark, "3").orElseThrow().freeBytes()).isEqualTo(10L << 30);
    spark.set("spark.executor.memoryOverhead", "30000"); // MiB without a unit
    assertThat(FreeMemory.yarn(spark, "3").orElseThrow().freeBytes()).isEqualTo(30_000L << 20);
    assertThat(FreeMemory.yarn(spark, "driver")).isEmpty();
    assertThat(FreeMemory.yarn(spark.set("spark.master", "spark://a:7077"), "3")).isEmpty();
  }
}
