package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.glmtuner.diagnosis.Finding;
import org.glmtuner.diagnosis.Findings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of processes that are files, with lines as the kernel writes them. */
class RankTransportTest {
  private static final String HEAD = "  sl  local_address rem_address   st tx_queue rx_queue";

  /** MPICH has linked both; only UCX has been opened. */
  private static final String UCX =
      """
      7f0000000000-7f0000001000 r-xp 00000000 08:01 11 /opt/mpich/libfabric.so.1
      7f0000010000-7f0000011000 r-xp 00000000 08:01 12 /opt/mpich/libuct.so.0
      7f0000020000-7f0000021000 r-xp 00000000 08:01 13 /opt/mpich/ucx/libuct_cma.so.0
      7f0000030000-7f0000031000 rw-p 00000000 00:00 0
      7f0000040000-7f0000041000 rw-s 00000000 00:19 70 /dev/shm/mpich_shm_4df91a48_0 (deleted)
      """;

  /** Intel MPI loads all providers, and with them UCX's libraries. */
  private static final String LIBFABRIC =
      """
      7f0000000000-7f0000001000 r-xp 00000000 08:01 21 /opt/impi/libfabric/libfabric.so.1
      7f0000010000-7f0000011000 r-xp 00000000 08:01 22 /opt/impi/libfabric/prov/libmlx-fi.so
      7f0000020000-7f0000021000 r-xp 00000000 08:01 23 /usr/lib/libuct.so.0
      7f0000030000-7f0000031000 rw-s 00000000 00:01 9 /SYSV00000000 (deleted)
      """;

  @TempDir Path root;

  private Path process(String name, String maps, String environment, String... descriptors)
      throws IOException {
    Path process = Files.createDirectories(root.resolve(name));
    Files.writeString(process.resolve("maps"), maps);
    Files.writeString(process.resolve("environ"), environment);
    Files.createDirectories(process.resolve("net"));
    Files.writeString(process.resolve("net/tcp"), HEAD + "\n");
    Path open = Files.createDirectory(process.resolve("fd"));
    for (int number = 0; number < descriptors.length; number++) {
      Files.createSymbolicLink(open.resolve("" + number), Path.of(descriptors[number]));
    }
    return process;
  }

  private RankTransport ucx(String name, String node) throws IOException {
    return RankTransport.of(process(name, UCX, "HOME=/root\0"), node);
  }

  private static RankTransport sent(RankTransport transport) {
    return RankTransport.decode(transport.encode());
  }

  @Test
  void aLibraryThatIsOnlyLinkedIsNotInUse() throws Exception {
    assertThat(ucx("1", "here").layer()).isEqualTo("UCX");
    Path intel = process("2", LIBFABRIC, "A=1\0FI_PROVIDER=tcp\0FI_PROVIDER_PATH=/opt/impi\0");
    assertThat(RankTransport.of(intel, "here").layer()).isEqualTo("libfabric (FI_PROVIDER=tcp)");
    Path other = process("3", "7f00-7f01 r-xp 0 08:01 1 /opt/mvapich2/libmpi.so.12\n", "");
    assertThat(RankTransport.of(other, "here").layer()).isEqualTo("neither UCX nor libfabric");
  }

  @Test
  void ranksThatHaveMappedTheSameSegmentShareMemory() throws Exception {
    List<RankTransport> ranks = List.of(ucx("1", "here"), ucx("2", "here"));
    assertThat(RankTransport.describe(ranks))
        .isEqualTo("2 ranks, UCX: shared memory, no TCP connection");
  }

  @Test
  void segmentsOfTwoHostsAreNotTheSameWhateverTheirNumbers() throws Exception {
    List<RankTransport> ranks = List.of(ucx("1", "here"), ucx("2", "there"));
    assertThat(RankTransport.describe(ranks)).isEqualTo("2 ranks, UCX: no TCP connection");
  }

  @Test
  void connectionsOfTheRankAreNamedByTheirInterface() throws Exception {
    Path process = process("1", LIBFABRIC, "", "socket:[501]", "socket:[502]", "socket:[503]");
    Files.writeString(
        process.resolve("net/tcp"),
        HEAD
            + """

               0: 0100007F:C350 0100007F:9C40 01 00000000:00000000 00:00000000 00000000 0 0 501 1
               1: 016433C6:C351 026433C6:9C40 01 00000000:00000000 00:00000000 00000000 0 0 502 1
               2: 00000000:C352 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 503 1
               3: 017100CB:C353 017100CB:9C40 01 00000000:00000000 00:00000000 00000000 0 0 999 1
            """);
    assertThat(RankTransport.of(process, "here").networks())
        .as("the loopback, what is no interface of this host, and none of what is not the rank's")
        .isEqualTo(Set.of("lo", "198.51.100.1"));
  }

  @Test
  void devicesOfFastNetworksAreSaid() throws Exception {
    Path process =
        process("1", UCX, "", "/dev/infiniband/uverbs0", "/dev/urandom", "/dev/infiniband/uverbs0");
    assertThat(RankTransport.describe(List.of(RankTransport.of(process, "here"))))
        .isEqualTo("1 rank, UCX: no TCP connection, open /dev/infiniband/uverbs0");
  }

  @Test
  void whatTasksSendEachOtherIsOneFindingWithNumbers() throws Exception {
    RankTransport far =
        new RankTransport("UCX (UCX_TLS=tcp,self)", Set.of(), Set.of("eth0", "eth1"), Set.of());
    RankTransport near = ucx("1", "here");
    assertThat(sent(near)).isEqualTo(near);
    assertThat(sent(far)).isEqualTo(far);
    Findings findings = new Findings("host");
    RankTransport.report(findings, List.of(sent(near), sent(far), sent(ucx("2", "here"))));
    assertThat(findings.list()).hasSize(1);
    Finding finding = findings.list().get(0);
    assertThat(finding.check()).isEqualTo("provider");
    assertThat(finding.found())
        .isEqualTo(
            "2 ranks, UCX: shared memory, no TCP connection;"
                + " 1 rank, UCX (UCX_TLS=tcp,self): TCP on eth0 and eth1");
    assertThat(finding.values())
        .containsEntry("shared_memory_ranks", 2.0)
        .containsEntry("tcp_ranks", 1.0);
    assertThatThrownBy(() -> RankTransport.decode("UCX")).hasMessageContaining("four fields");
  }
}
