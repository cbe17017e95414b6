package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.glmtuner.wire.Frame;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that a task holds for its rank: cores, directories, libraries and the process. Closing
 * it ends the rank and gives all back, in the reverse order.
 */
final class RankHost implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RankHost.class);

  private final Path cache;
  private final Optional<MpiLibrary> mpi;
  private final RankGroups groups;
  private final CpuClaim claim;
  private final Binding binding;
  private final AttemptDirectory directory;
  private final RankSession session;

  private RankHost(
      Path cache,
      Optional<MpiLibrary> mpi,
      RankGroups groups,
      CpuClaim claim,
      Binding binding,
      AttemptDirectory directory,
      RankSession session) {
    this.cache = cache;
    this.mpi = mpi;
    this.groups = groups;
    this.claim = claim;
    this.binding = binding;
    this.directory = directory;
    this.session = session;
  }

  /** What the rank is for: only members of a group need an MPI library. */
  enum Purpose {
    MEMBER,
    SERVER
  }

  /**
   * Claims cores of this host and forks a rank on them.
   *
   * @param topology the CPUs that may be used
   * @throws org.glmtuner.failure.TunerException with exit code 3 where this host has no group of
   *     that size, or binding is required and impossible; 8 where none became free in time
   */
  static RankHost open(
      TunerConfig config, Purpose purpose, Topology topology, int cores, TaskSignal signal)
      throws IOException, InterruptedException {
    RankGroups groups = RankGroups.withRoom(topology, config.ranks(), cores, 1);
    Path cache = PrivateDirectory.provide(config.cache().path());
    NativeLibraries libraries = NativeLibraries.provide(cache);
    Optional<MpiLibrary> mpi =
        purpose == Purpose.MEMBER
            ? Optional.of(MpiLibrary.provide(config.mpi(), libraries))
            : Optional.empty();
    mpi.ifPresent(
        found ->
            LOG.info("{} at {}, {}", found.probe().version(), found.path(), found.environment()));
    Path claims = Path.of(config.ranks().pinning().claims());
    CpuClaim claim = CpuClaim.take(groups, claims, config.ranks().patience(), signal);
    AttemptDirectory directory = null;
    try {
      Binding binding = Binding.of(claim.group(), config.ranks().pinning().required());
      directory = AttemptDirectory.create(cache);
      RankLaunch launch =
          RankLaunch.of(
              config.ranks().jvm(),
              mpi.map(MpiLibrary::environment).orElse(Map.of()),
              binding,
              libraries,
              directory.rankSocket(),
              claims);
      RankSession session =
          RankSession.open(launch, directory, config.ranks().heartbeatTimeout(), signal);
      return new RankHost(cache, mpi, groups, claim, binding, directory, session);
    } catch (IOException | InterruptedException | RuntimeException e) {
      closeAfter(e, directory);
      closeAfter(e, claim);
      throw e;
    }
  }

  private static void closeAfter(Exception failure, AutoCloseable resource) {
    try {
      if (resource != null) {
        resource.close();
      }
    } catch (Exception closing) {
      failure.addSuppressed(closing);
    }
  }

  Path cache() {
    return cache;
  }

  /** The path of the MPI library of a member. */
  String mpiLibrary() {
    return mpi.orElseThrow().path().toString();
  }

  /** Where ranks of this size can be on this host at a time. */
  List<CpuGroup> groups() {
    return groups.groups();
  }

  /** The kernel's word on where the rank's threads are, once it is ready. */
  Binding.Readback readBack(Frame.Ready ready) throws IOException {
    return binding.readBack(session.pid(), ready.cpus());
  }

  CpuClaim claim() {
    return claim;
  }

  AttemptDirectory directory() {
    return directory;
  }

  RankSession session() {
    return session;
  }

  @Override
  public void close() throws IOException {
    try (claim;
        directory;
        session) {
      // each is closed even if one before it fails
    }
  }
}
