package org.glmtuner.executor;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.glmtuner.diagnosis.Findings;
import org.glmtuner.diagnosis.RankChecks;

/**
 * What joins a rank to the others, by what the kernel says of its process once it has summed with
 * them: what a library was told, or has loaded, need not be what it uses.
 *
 * @param layer the library below MPI that moves messages between hosts, with the variable that
 *     narrows its choice
 * @param segments of shared memory that it has mapped, unique among all hosts
 * @param networks interfaces over which it has TCP connections; an address where the interface is
 *     not known, as in another network namespace
 * @param devices of networks and of copying between processes that it has open
 */
record RankTransport(
    String layer, Set<String> segments, Set<String> networks, Set<String> devices) {
  private static final String SEPARATOR = "\t";
  private static final String LIST = ",";
  private static final int FIELDS = 4;
  private static final int MAPPED_PATH = 5;

  /** InfiniBand, RoCE and EFA; Omni-Path; Slingshot; what copies between processes of a host. */
  private static final List<String> DEVICES =
      List.of("/dev/infiniband/", "/dev/hfi1", "/dev/cxi", "/dev/knem", "/dev/xpmem");

  /** What a process has mapped: a line of {@code /proc/<pid>/maps}. */
  private record Mapping(String permissions, String device, String inode, String path) {
    static Mapping parse(String line) {
      String[] fields = line.split("\\s+", MAPPED_PATH + 1);
      return fields.length > MAPPED_PATH
          ? new Mapping(fields[1], fields[3], fields[4], fields[MAPPED_PATH])
          : new Mapping("", "", "", "");
    }

    boolean isSharedMemory() {
      return permissions.endsWith("s")
          && (path.startsWith("/dev/shm/") || path.startsWith("/SYSV"));
    }

    String file() {
      return path.substring(path.lastIndexOf('/') + 1);
    }
  }

  /**
   * Of a rank that has summed and has not ended yet.
   *
   * @param node where it runs, as {@link HostIdentity} calls it
   */
  static RankTransport of(long pid, String node) throws IOException {
    return of(Path.of("/proc/" + pid), node);
  }

  /** As the other, of a process that is described below a directory. */
  static RankTransport of(Path process, String node) throws IOException {
    List<Mapping> mappings =
        Files.readString(process.resolve("maps"), StandardCharsets.ISO_8859_1)
            .lines()
            .map(Mapping::parse)
            .toList();
    Set<String> segments =
        mappings.stream()
            .filter(Mapping::isSharedMemory)
            .map(mapping -> node + " " + mapping.device() + " " + mapping.inode())
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> devices =
        OpenFiles.of(process).stream()
            .filter(file -> DEVICES.stream().anyMatch(file::startsWith))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> networks = new TreeSet<>();
    for (TcpSockets.Socket socket : TcpSockets.of(process).connected()) {
      networks.add(network(socket.address()));
    }
    return new RankTransport(layer(process, mappings), segments, networks, devices);
  }

  /**
   * MPICH is linked with libfabric and UCX, and Intel MPI loads providers over UCX that it does not
   * take. UCX loads its transports when it is opened, and not before.
   */
  private static String layer(Path process, List<Mapping> mappings) throws IOException {
    Set<String> libraries = mappings.stream().map(Mapping::file).collect(Collectors.toSet());
    if (any(libraries, "libuct_")) {
      return narrowed("UCX", process, "UCX_TLS=");
    }
    if (any(libraries, "libfabric.so")) {
      return narrowed("libfabric", process, "FI_PROVIDER=");
    }
    return any(libraries, "libuct.so")
        ? narrowed("UCX", process, "UCX_TLS=")
        : "neither UCX nor libfabric";
  }

  private static boolean any(Set<String> libraries, String prefix) {
    return libraries.stream().anyMatch(name -> name.startsWith(prefix));
  }

  private static String narrowed(String layer, Path process, String variable) throws IOException {
    String environment = Files.readString(process.resolve("environ"), StandardCharsets.ISO_8859_1);
    return Arrays.stream(environment.split("\0", -1))
        .filter(setting -> setting.startsWith(variable))
        .findFirst()
        .map(setting -> layer + " (" + setting + ")")
        .orElse(layer);
  }

  private static String network(InetAddress address) throws SocketException {
    NetworkInterface known = NetworkInterface.getByInetAddress(address);
    return known == null ? address.getHostAddress() : known.getName();
  }

  /** For the stage's all-gather. */
  String encode() {
    return String.join(
        SEPARATOR,
        layer,
        String.join(LIST, segments),
        String.join(LIST, networks),
        String.join(LIST, devices));
  }

  static RankTransport decode(String text) {
    String[] fields = text.split(SEPARATOR, -1);
    if (fields.length != FIELDS) {
      throw new IllegalArgumentException(
          "Invalid transport of a rank: " + text + " (four fields are expected)");
    }
    return new RankTransport(fields[0], list(fields[1]), list(fields[2]), list(fields[3]));
  }

  private static Set<String> list(String field) {
    return field.isEmpty() ? Set.of() : new TreeSet<>(Arrays.asList(field.split(LIST, -1)));
  }

  private boolean hasTcp() {
    return !networks.isEmpty();
  }

  /** Whether one of its segments is another rank's too: it has mapped some that are its own. */
  private boolean sharesMemory(List<RankTransport> all) {
    return segments.stream()
        .anyMatch(own -> all.stream().filter(rank -> rank.segments.contains(own)).count() > 1);
  }

  /** As a finding; none where no rank could be looked at. */
  static void report(Findings findings, List<RankTransport> all) {
    if (!all.isEmpty()) {
      RankChecks.provider(
          findings,
          describe(all),
          all.stream().filter(rank -> rank.sharesMemory(all)).count(),
          all.stream().filter(RankTransport::hasTcp).count());
    }
  }

  /** Why a rank could not be looked at, as where its program has capabilities of its own. */
  static String unseen(IOException reason) {
    return "the kernel does not show what the rank uses: " + reason;
  }

  /** For people: what ranks have in common is said once, with their number. */
  static String describe(List<RankTransport> all) {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    all.forEach(rank -> ranks.merge(rank.describeAmong(all), 1, Integer::sum));
    return ranks.entrySet().stream()
        .map(
            kind ->
                kind.getValue() + (kind.getValue() == 1 ? " rank, " : " ranks, ") + kind.getKey())
        .collect(Collectors.joining("; "));
  }

  private String describeAmong(List<RankTransport> all) {
    List<String> ways = new ArrayList<>();
    if (sharesMemory(all)) {
      ways.add("shared memory");
    }
    ways.add(hasTcp() ? "TCP on " + String.join(" and ", networks) : "no TCP connection");
    if (!devices.isEmpty()) {
      ways.add("open " + String.join(" and ", devices));
    }
    return layer + ": " + String.join(", ", ways);
  }
}
