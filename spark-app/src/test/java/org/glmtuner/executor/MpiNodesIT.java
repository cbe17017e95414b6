package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.glmtuner.OwnCache;
import org.glmtuner.cluster.InstalledMpi;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.TunerException;
import org.glmtuner.wire.Frame;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Groups of two ranks that are told to be on two hosts, with every MPI library that is here. */
class MpiNodesIT {
  /** L, 2, P, H: 7 MB by slices of 1 MB. */
  private static final int[] SHAPE = {7, 2, 32, 4096};

  private static final int ROUNDS = 2;

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir Path directory;

  private static TunerConfig config(InstalledMpi mpi, Map<String, String> more) {
    Map<String, String> settings = OwnCache.settings(cache);
    settings.putAll(more);
    settings.put("mpi.library", mpi.library());
    if (!mpi.isIntel()) { // UCX sees that both are on one host
      settings.putIfAbsent("mpi.environment.UCX_TLS", "tcp,self");
    }
    return ConfigLoader.load("", "", settings);
  }

  /**
   * Sums over the ranks, which check what they get; then shows what sockets each of them has.
   *
   * @return how they are joined
   */
  private static String sum(InstalledMpi mpi, TunerConfig config, Consumer<TcpSockets> sockets)
      throws Exception {
    try (LocalRanks ranks =
        LocalRanks.open(
            config,
            HostTopology.read(cache),
            2,
            1,
            rank -> new HostIdentity("host", "node-" + rank))) {
      for (int rank = 0; rank < ranks.count(); rank++) {
        ranks.post(rank, new Frame.MeasureSums(ranks.membership(rank), SHAPE, ROUNDS));
      }
      assertThat(ranks.answers())
          .allSatisfy(
              frame -> assertThat(((Frame.Ready) frame).library()).startsWith(mpi.version()));
      assertThat(ranks.answers()).allMatch(Frame.SumsMeasured.class::isInstance);
      for (int rank = 0; rank < ranks.count(); rank++) {
        sockets.accept(TcpSockets.of(ranks.pid(rank)));
      }
      List<RankTransport> transports = ranks.transports();
      ranks.finish();
      return RankTransport.describe(transports);
    }
  }

  /** A network interface of this host over which it reaches itself. */
  private static NetworkInterface ethernet() throws SocketException {
    for (NetworkInterface candidate : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      if (candidate.isUp() && !candidate.isLoopback() && address(candidate) != null) {
        return candidate;
      }
    }
    assumeTrue(false, "this host has no network interface but the loopback");
    throw new AssertionError("unreachable");
  }

  private static InetAddress address(NetworkInterface candidate) {
    return candidate
        .inetAddresses()
        .filter(Inet4Address.class::isInstance)
        .findFirst()
        .orElse(null);
  }

  @ParameterizedTest
  @EnumSource
  void ranksMeetOnTheInterfaceAndThePortsThatAreConfigured(InstalledMpi mpi) throws Exception {
    String layer = mpi.isIntel() ? mpi.layer() : "UCX (UCX_TLS=tcp,self)";
    assertThat(meetWhereConfigured(mpi, Map.of()))
        .isEqualTo("2 ranks, " + layer + ": TCP on " + ethernet().getName());
  }

  @Test
  void theBundledLibraryDoesSoByLibfabricToo() throws Exception {
    Map<String, String> libfabric =
        Map.of("mpi.environment.MPIR_CVAR_CH4_NETMOD", "ofi", "mpi.environment.FI_PROVIDER", "tcp");
    assertThat(meetWhereConfigured(InstalledMpi.BUNDLED, libfabric))
        .isEqualTo("2 ranks, libfabric (FI_PROVIDER=tcp): TCP on " + ethernet().getName());
  }

  private static String meetWhereConfigured(InstalledMpi mpi, Map<String, String> more)
      throws Exception {
    NetworkInterface device = ethernet();
    int first = 20_000 + (int) (ProcessHandle.current().pid() % 10_000);
    int last = first + 9;
    Map<String, String> settings = new TreeMap<>(more);
    settings.put("mpi.interface", device.getName());
    settings.put("mpi.port-range", first + "-" + last);
    TunerConfig config = config(mpi, settings);
    return sum(
        mpi,
        config,
        sockets -> {
          assertThat(sockets.listening())
              .isNotEmpty()
              .allSatisfy(
                  socket -> {
                    assertThat(socket.address()).isEqualTo(address(device));
                    assertThat(socket.port()).isBetween(first, last);
                  });
          assertThat(sockets.connected())
              .isNotEmpty()
              .allSatisfy(
                  socket -> {
                    assertThat(socket.address()).isEqualTo(address(device));
                    assertThat(List.of(socket.port(), socket.peerPort()))
                        .anyMatch(port -> port >= first && port <= last);
                  });
        });
  }

  @ParameterizedTest
  @EnumSource
  void aLibraryThatFindsNoWayToThePeersEndsTheRankWithItsReason(InstalledMpi mpi) throws Exception {
    String[] no = {"mpi.environment.UCX_TLS=self", "Destination is unreachable"};
    if (mpi.isIntel()) {
      no = new String[] {"mpi.environment.FI_PROVIDER=none", "fi_getinfo() failed"};
    }
    String[] setting = no[0].split("=", 2);
    TunerConfig config = config(mpi, Map.of(setting[0], setting[1]));
    assertThatThrownBy(() -> sum(mpi, config, sockets -> {}))
        .isInstanceOf(TunerException.class)
        .hasMessageMatching("(?s)Cannot go on: rank [01] .*")
        .hasMessageContaining(no[1]);
  }

  @ParameterizedTest
  @EnumSource
  void ranksOfTwoNetworkNamespacesReachEachOther(InstalledMpi mpi) throws Exception {
    String library = mpi.library(); // or skips
    try (Namespaces namespaces = Namespaces.create()) {
      assertThat(library).isNotNull();
      Path home = namespaces.javaHome(directory);
      TunerConfig config = config(mpi, Map.of("ranks.java-home", home.toString()));
      List<InetAddress> addresses = new ArrayList<>();
      sum(
          mpi,
          config,
          sockets -> {
            List<InetAddress> outward =
                sockets.connected().stream()
                    .map(TcpSockets.Socket::address)
                    .filter(address -> !address.isLoopbackAddress())
                    .distinct()
                    .toList();
            assertThat(outward).hasSize(1);
            addresses.addAll(outward);
          });
      assertThat(addresses)
          .containsExactly(
              InetAddress.getByName(Namespaces.ADDRESSES.get(0)),
              InetAddress.getByName(Namespaces.ADDRESSES.get(1)));
    }
  }

  /** Two network namespaces with a cable between them, and no other way. */
  private record Namespaces(List<String> names) implements AutoCloseable {
    static final List<String> ADDRESSES = List.of("198.51.100.1", "198.51.100.2");
    private static final String DEVICE = "glm0";
    private static final String OPERATING = "/sys/class/net/" + DEVICE + "/operstate";

    static Namespaces create() throws IOException {
      Object user = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
      assumeTrue(user.equals(0), "network namespaces can be made by root only");
      String base = "glm-" + ProcessHandle.current().pid();
      Namespaces namespaces = new Namespaces(List.of(base + "-0", base + "-1"));
      try {
        assumeTrue(
            ip("netns", "add", namespaces.names.get(0)) == 0
                && ip("netns", "add", namespaces.names.get(1)) == 0,
            "this host's kernel or container makes no network namespaces (or iproute2 is missing)");
        namespaces.connect();
        return namespaces;
      } catch (RuntimeException | AssertionError e) {
        namespaces.close();
        throw e;
      }
    }

    private void connect() {
      String[] cable = {
        "link",
        "add",
        DEVICE,
        "netns",
        names.get(0),
        "type",
        "veth",
        "peer",
        "name",
        DEVICE,
        "netns",
        names.get(1)
      };
      assertThat(ip(cable)).isZero();
      for (int i = 0; i < names.size(); i++) {
        String[] address = {"-n", names.get(i), "addr", "add", ADDRESSES.get(i) + "/30", "dev"};
        List<String> words = new ArrayList<>(List.of(address));
        words.add(DEVICE);
        assertThat(ip(words.toArray(String[]::new))).isZero();
        assertThat(ip("-n", names.get(i), "link", "set", DEVICE, "up")).isZero();
        assertThat(ip("-n", names.get(i), "link", "set", "lo", "up")).isZero();
      }
      for (String name : names) { // before that, UCX does not see it
        await().until(() -> ip("netns", "exec", name, "grep", "-q", "up", OPERATING) == 0);
      }
    }

    /** A home of a Java that runs in the one or the other, as its CPU says. */
    Path javaHome(Path directory) throws IOException, InterruptedException {
      Path bin = Files.createDirectories(directory.resolve("java/bin"));
      int first = HostTopology.read(cache).cpus().get(0);
      String script =
          """
          #!/bin/sh
          namespace=%s
          case $(taskset -pc $$) in *": %d") namespace=%s ;; esac
          exec ip netns exec "$namespace" '%s/bin/java' "$@"
          """
              .formatted(names.get(1), first, names.get(0), System.getProperty("java.home"));
      Files.writeString(bin.resolve("java"), script);
      Files.setPosixFilePermissions(
          bin.resolve("java"), PosixFilePermissions.fromString("rwxr-xr-x"));
      return bin.getParent();
    }

    /** The exit code. */
    private static int ip(String... arguments) {
      List<String> command = new ArrayList<>(List.of("ip"));
      command.addAll(List.of(arguments));
      try {
        return new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start()
            .onExit()
            .join()
            .exitValue();
      } catch (IOException e) {
        return -1; // there is no such program
      }
    }

    @Override
    public void close() {
      for (String name : names) {
        ip("netns", "delete", name);
      }
    }
  }
}
