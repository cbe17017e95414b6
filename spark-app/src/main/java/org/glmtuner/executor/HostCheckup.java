package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.glmtuner.diagnosis.Findings;
import org.glmtuner.diagnosis.HostChecks;
import org.glmtuner.diagnosis.Versions;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.WeightCache;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.DiskSpace;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.storage.RoundTrip;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;
import org.glmtuner.topology.Topology.MemoryNode;

/** The checks of the host that this process is on, but for those that need ranks. */
final class HostCheckup {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");
  private static final double GIGA = 1e9;

  private final DoctorPlan plan;
  private final Findings findings;

  HostCheckup(DoctorPlan plan, Findings findings) {
    this.plan = plan;
    this.findings = findings;
  }

  /** Everything, each within a time limit. */
  void run() throws InterruptedException {
    new HostChecks(findings).all();
    findings.attempt("versions", LIMIT, "", () -> findings.ok("versions", Versions.describe()));
    findings.attempt(
        "cache", LIMIT, "set cache.directory to a local directory of this user", this::cache);
    storage();
  }

  private void cache() throws IOException, InterruptedException {
    Path directory = PrivateDirectory.provide(plan.config().cache().path());
    Files.delete(Files.createTempFile(directory, ".doctor-", ""));
    NativeLibraries.provide(directory); // a run unpacks them there before it makes the weights
    long free = DiskSpace.free(directory);
    new HostChecks(findings).cache(directory, free, missing(directory));
  }

  /** Bytes of the weight file, where this host has none yet. */
  private long missing(Path cache) {
    DoctorPlan.Base base = plan.base();
    boolean needed =
        base != null
            && !WeightCache.holds(base.fingerprint(), plan.config().model().precision(), cache);
    return needed ? base.memory().baseBytes() : 0;
  }

  private void storage() throws InterruptedException {
    if (plan.storage().isEmpty()) {
      findings.skipped("storage", "neither run.directory nor --storage says where");
      return;
    }
    findings.attempt(
        "storage",
        LIMIT,
        "run.directory must be writable from every host (network, permissions, Kerberos ticket)",
        () -> {
          Directory directory = existing(Directory.of(plan.storage(), plan.settings()));
          RoundTrip trip = RoundTrip.measure(directory);
          findings.ok(
              "storage",
              String.format(
                  Locale.ROOT,
                  "%s: %.0f MB written in %.3f s, read in %.3f s, renamed in %.3f s, deleted in %.3f s",
                  directory.location(),
                  trip.bytes() / 1e6,
                  trip.write(),
                  trip.read(),
                  trip.rename(),
                  trip.delete()),
              Map.of("write_seconds", trip.write(), "read_seconds", trip.read()));
        });
  }

  /** A run makes its directory; a check makes none. */
  private static Directory existing(Directory wanted) throws IOException {
    Directory directory = wanted;
    while (!directory.exists()) {
      Optional<Directory> parent = directory.parent();
      if (parent.isEmpty()) {
        throw TunerException.invalid("Cannot find " + wanted.location() + " nor what it is in");
      }
      directory = parent.get();
    }
    return directory;
  }

  /** Bytes that are free in /dev/shm, against what so many ranks need. */
  void sharedMemory(int ranks) throws InterruptedException {
    findings.attempt(
        "/dev/shm",
        LIMIT,
        "",
        () -> {
          long free = Files.isDirectory(SHARED_MEMORY) ? DiskSpace.free(SHARED_MEMORY) : -1;
          new HostChecks(findings).sharedMemory(free, ranks);
        });
  }

  /** Whether ranks of this host can load the MPI library, and have the network that they are to. */
  boolean mpi() throws InterruptedException {
    boolean network =
        findings.value(
            "mpi",
            LIMIT,
            "set mpi.interface to one that all hosts have, or leave it empty",
            false,
            () -> {
              MpiLibrary.checkInterface(plan.config().mpi().network().device());
              return true;
            });
    return network && library();
  }

  private boolean library() throws InterruptedException {
    return findings.value(
        "mpi",
        LIMIT,
        "set mpi.library to an MPICH, an Intel MPI or another library with their ABI, or leave it empty for the bundled one",
        false,
        () -> {
          Path cache = PrivateDirectory.provide(plan.config().cache().path());
          MpiLibrary library =
              MpiLibrary.provide(plan.config().mpi(), NativeLibraries.provide(cache));
          String variables = new TreeMap<>(library.environment()).toString();
          findings.ok(
              "mpi",
              library.probe().version()
                  + " (MPI "
                  + library.probe().standard()
                  + ") at "
                  + library.path()
                  + (library.environment().isEmpty() ? "" : ", with " + variables));
          return true;
        });
  }

  /** What this process may use of its host; empty where that cannot be found out. */
  Optional<Topology> topology() throws InterruptedException {
    Optional<Topology> read =
        findings.value(
            "topology",
            LIMIT,
            "",
            Optional.empty(),
            () -> Optional.of(HostTopology.read(plan.config().cache().path())));
    read.ifPresent(
        host ->
            findings.ok(
                "topology",
                RankGroups.describe(host, plan.config().ranks()) + "; " + memory(host)));
    return read;
  }

  private static String memory(Topology host) {
    Map<Kind, Long> bytes =
        host.memory().stream()
            .collect(
                Collectors.groupingBy(
                    MemoryNode::kind, TreeMap::new, Collectors.summingLong(MemoryNode::bytes)));
    long cached = host.memory().stream().filter(node -> node.cacheBytes() > 0).count();
    String nodes = host.memory().size() == 1 ? "1 NUMA node" : host.memory().size() + " NUMA nodes";
    return nodes
        + bytes.entrySet().stream()
            .map(
                kind ->
                    String.format(
                        Locale.ROOT, ", %.1f GB of %s", kind.getValue() / GIGA, kind.getKey()))
            .collect(Collectors.joining())
        + (cached > 0 ? ", " + cached + " behind a memory-side cache" : "");
  }

  /**
   * Whether ranks and weights fit into memory.
   *
   * @param ranks all of the group
   */
  void memory(RankPlan ranks, int rank) throws InterruptedException {
    if (plan.base() == null) {
      findings.skipped("memory", "no model is configured (model.path)");
      return;
    }
    findings.attempt(
        "memory",
        LIMIT,
        "fewer ranks on a host, a shorter prefix, or smaller micro-batches",
        () ->
            findings.ok(
                "memory",
                MemoryPlan.training(
                        ranks,
                        rank,
                        HostTopology.read(plan.config().cache().path()),
                        plan.base().memory(),
                        plan.config().memory())
                    .describe()));
  }
}
