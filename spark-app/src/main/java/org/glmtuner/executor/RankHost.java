package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.glmtuner.wire.Frame;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that a task holds for its rank: cores, directories, libraries and, once it is started,
 * the process. Closing it ends the rank and gives all back, in the reverse order.
 */
final class RankHost implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RankHost.class);

  private final RanksConfig config;
  private final Installation installation;
  private final RankGroups groups;
  private final CpuClaim claim;
  private final Binding binding;
  private final AttemptDirectory directory;
  private RankSession session; // null until the rank is started

  private RankHost(
      RanksConfig config,
      Installation installation,
      RankGroups groups,
      CpuClaim claim,
      Binding binding,
      AttemptDirectory directory) {
    this.config = config;
    this.installation = installation;
    this.groups = groups;
    this.claim = claim;
    this.binding = binding;
    this.directory = directory;
  }

  /** What the rank is for: only members of a group need an MPI library. */
  enum Purpose {
    MEMBER,
    SERVER
  }

  /** What all ranks of a host start with. */
  private record Installation(Path cache, NativeLibraries libraries, Optional<MpiLibrary> mpi) {
    static Installation provide(TunerConfig config, Purpose purpose)
        throws IOException, InterruptedException {
      Path cache = PrivateDirectory.provide(config.cache().path());
      NativeLibraries libraries = NativeLibraries.provide(cache);
      Optional<MpiLibrary> mpi =
          purpose == Purpose.MEMBER
              ? Optional.of(MpiLibrary.provide(config.mpi(), libraries))
              : Optional.empty();
      mpi.ifPresent(
          found ->
              LOG.info("{} at {}, {}", found.probe().version(), found.path(), found.environment()));
      return new Installation(cache, libraries, mpi);
    }
  }

  /**
   * Claims cores of this host and makes ready all that a rank needs, so that what this host cannot
   * do is known while there is no rank anywhere.
   *
   * @param topology the CPUs that may be used
   * @throws org.glmtuner.failure.TunerException with exit code 3 where this host has no group of
   *     that size, or lacks what a rank needs; 8 where no group became free in time
   */
  static RankHost prepare(
      TunerConfig config, Purpose purpose, Topology topology, int cores, TaskSignal signal)
      throws IOException, InterruptedException {
    RankGroups groups = RankGroups.withRoom(topology, config.ranks(), cores, 1);
    Installation installation = Installation.provide(config, purpose);
    Path claims = Path.of(config.ranks().pinning().claims());
    CpuClaim claim = CpuClaim.take(groups, claims, config.ranks().patience(), signal);
    try {
      Binding binding = Binding.of(claim.group(), config.ranks().pinning().required());
      AttemptDirectory directory = AttemptDirectory.create(installation.cache);
      return new RankHost(config.ranks(), installation, groups, claim, binding, directory);
    } catch (IOException | InterruptedException | RuntimeException e) {
      closeAfter(e, claim);
      throw e;
    }
  }

  /** {@link #prepare} and {@link #start}, for ranks that nothing else has to be decided for. */
  static RankHost open(
      TunerConfig config, Purpose purpose, Topology topology, int cores, TaskSignal signal)
      throws IOException, InterruptedException {
    RankHost host = prepare(config, purpose, topology, cores, signal);
    try {
      host.start(signal);
      return host;
    } catch (IOException | InterruptedException | RuntimeException e) {
      closeAfter(e, host);
      throw e;
    }
  }

  /** Forks the rank, once, and waits until it has connected. */
  void start(TaskSignal signal) throws IOException, InterruptedException {
    RankLaunch launch =
        RankLaunch.of(
            config.jvm(),
            installation.mpi.map(MpiLibrary::environment).orElse(Map.of()),
            binding,
            installation.libraries,
            directory.rankSocket(),
            Path.of(config.pinning().claims()));
    session = RankSession.open(launch, directory, config.heartbeatTimeout(), signal);
  }

  private static void closeAfter(Exception failure, AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception closing) {
      failure.addSuppressed(closing);
    }
  }

  Path cache() {
    return installation.cache;
  }

  /** The path of the MPI library of a member. */
  String mpiLibrary() {
    return installation.mpi.orElseThrow().path().toString();
  }

  /** Where ranks of this size can be on this host at a time. */
  List<CpuGroup> groups() {
    return groups.groups();
  }

  /** The kernel's word on where the rank's threads are, once it is ready. */
  Binding.Readback readBack(Frame.Ready ready) throws IOException {
    return binding.readBack(session().pid(), ready.cpus());
  }

  CpuClaim claim() {
    return claim;
  }

  AttemptDirectory directory() {
    return directory;
  }

  /** The started rank. */
  RankSession session() {
    if (session == null) {
      throw new IllegalStateException("the rank has not been started");
    }
    return session;
  }

  @Override
  public void close() throws IOException {
    try (claim;
        directory) { // each is closed even if the one before it fails
      if (session != null) {
        session.close();
      }
    }
  }
}
