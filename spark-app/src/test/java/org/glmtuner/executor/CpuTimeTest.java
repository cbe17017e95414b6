package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuTimeTest {
  @TempDir Path root;

  private void write(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text + "\n");
  }

  @Test
  void withoutControlGroupsThereIsNoLimit() throws IOException {
    assertThat(CpuTime.granted(root)).isInfinite();
  }

  @Test
  void ofTheSecondVersionTheTightestGroupDecides() throws IOException {
    write("proc/self/cgroup", "0::/pods/pod1/box");
    write("sys/fs/cgroup/pods/cpu.max", "1600000 100000");
    write("sys/fs/cgroup/pods/pod1/cpu.max", "250000 100000");
    write("sys/fs/cgroup/pods/pod1/box/cpu.max", "max 100000");
    assertThat(CpuTime.granted(root)).isEqualTo(2.5);
  }

  @Test
  void ofTheFirstVersionTheQuotaCountsUnlessItIsNegative() throws IOException {
    write("proc/self/cgroup", "4:cpu,cpuacct:/yarn/container_1\n3:memory:/");
    write("sys/fs/cgroup/cpu/yarn/container_1/cpu.cfs_quota_us", "800000");
    write("sys/fs/cgroup/cpu/yarn/container_1/cpu.cfs_period_us", "100000");
    write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1");
    write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
    assertThat(CpuTime.granted(root)).isEqualTo(8);
  }

  @Test
  void aContainerSeesItsOwnGroupAsTheRoot() throws IOException {
    write("proc/self/cgroup", "0::/../../elsewhere");
    write("sys/fs/cgroup/cpu.max", "400000 100000");
    assertThat(CpuTime.granted(root)).isEqualTo(4);
  }
}
