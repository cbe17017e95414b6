package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.RankGroups;
import org.glmtuner.topology.Topology;
import org.glmtuner.wire.Frame;

/**
 * Everything that a task holds for its rank: cores, directories, libraries and the process. Closing
 * it ends the rank and gives all back, in the reverse order.
 */
final class RankHost implements AutoCloseable {
  private final Path cache;
  private final String mpiLibrary;
  private final RankGroups groups;
  private final CpuClaim claim;
  private final Binding binding;
  private final AttemptDirectory directory;
  private final RankSession session;

  private RankHost(
      Path cache,
      String mpiLibrary,
      RankGroups groups,
      CpuClaim claim,
      Binding binding,
      AttemptDirectory directory,
      RankSession session) {
    this.cache = cache;
    this.mpiLibrary = mpiLibrary;
    this.groups = groups;
    this.claim = claim;
    this.binding = binding;
    this.directory = directory;
    this.session = session;
  }

  /**
   * Claims cores of this host and forks a rank on them.
   *
   * @param topology the CPUs that may be used
   * @throws org.glmtuner.failure.TunerException with exit code 3 where this host has no group of
   *     that size, or binding is required and impossible; 8 where none became free in time
   */
  static RankHost open(TunerConfig config, Topology topology, int cores, TaskSignal signal)
      throws IOException, InterruptedException {
    RankGroups groups = RankGroups.withRoom(topology, config.ranks(), cores, 1);
    Path cache = PrivateDirectory.provide(config.cache().path());
    NativeLibraries libraries = NativeLibraries.provide(cache);
    CpuClaim claim = CpuClaim.take(groups, cache, config.ranks().patience(), signal);
    AttemptDirectory directory = null;
    try {
      Binding binding = Binding.of(claim.group(), config.ranks().pinning().required());
      directory = AttemptDirectory.create(cache);
      RankLaunch launch =
          RankLaunch.of(
              config.ranks().jvm(),
              config.mpi().environment(),
              binding,
              libraries,
              RankSession.socket(directory),
              CpuClaim.lockFile(cache));
      RankSession session =
          RankSession.open(launch, directory, config.ranks().heartbeatTimeout(), signal);
      String mpi = config.mpi().library();
      return new RankHost(
          cache,
          mpi.isEmpty() ? libraries.defaultMpi().toString() : mpi,
          groups,
          claim,
          binding,
          directory,
          session);
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

  /** The configured MPI library, or the one that the application brings. */
  String mpiLibrary() {
    return mpiLibrary;
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
