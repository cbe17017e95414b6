package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Path;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.storage.PrivateDirectory;

/**
 * Everything that a task holds for its rank: cores, directories, libraries and the process. Closing
 * it ends the rank and gives all back, in the reverse order.
 */
final class RankHost implements AutoCloseable {
  private final Path cache;
  private final String mpiLibrary;
  private final CpuClaim claim;
  private final AttemptDirectory directory;
  private final RankSession session;

  private RankHost(
      Path cache,
      String mpiLibrary,
      CpuClaim claim,
      AttemptDirectory directory,
      RankSession session) {
    this.cache = cache;
    this.mpiLibrary = mpiLibrary;
    this.claim = claim;
    this.directory = directory;
    this.session = session;
  }

  /** Claims cores of this host and forks a rank on them. */
  static RankHost open(TunerConfig config, int cores, TaskSignal signal)
      throws IOException, InterruptedException {
    return open(config, CpuTopology.read(), cores, signal);
  }

  /** As the other, of the CPUs in {@code topology}. */
  static RankHost open(TunerConfig config, CpuTopology topology, int cores, TaskSignal signal)
      throws IOException, InterruptedException {
    Path cache = PrivateDirectory.provide(config.cache().path());
    NativeLibraries libraries = NativeLibraries.provide(cache);
    CpuClaim claim = CpuClaim.take(topology, cores, cache, config.ranks().patience(), signal);
    AttemptDirectory directory = null;
    try {
      directory = AttemptDirectory.create(cache);
      RankLaunch launch =
          RankLaunch.of(
              config.ranks().jvm(),
              config.mpi().environment(),
              claim.group().cpus(),
              libraries,
              RankSession.socket(directory),
              CpuClaim.lockFile(cache));
      RankSession session =
          RankSession.open(launch, directory, config.ranks().heartbeatTimeout(), signal);
      String mpi = config.mpi().library();
      return new RankHost(
          cache,
          mpi.isEmpty() ? libraries.defaultMpi().toString() : mpi,
          claim,
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
