package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Path;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.TopologyProbe;

/**
 * Reads topologies with the program that the application jar brings, which is unpacked into the
 * cache directory first.
 *
 * <p>Both methods throw {@link TunerException}, with exit code 3 where there is no topology to be
 * read.
 */
public final class HostTopology {
  private HostTopology() {}

  /**
   * What this process may use of its host.
   *
   * @param cacheDirectory {@code cache.directory} of this host
   */
  public static Topology read(Path cacheDirectory) throws InterruptedException {
    return TopologyProbe.ofThisProcess(program(cacheDirectory));
  }

  /** The host that a file of hwloc describes. */
  public static Topology ofFile(Path cacheDirectory, Path file) throws InterruptedException {
    return TopologyProbe.ofFile(program(cacheDirectory), file);
  }

  private static Path program(Path cacheDirectory) throws InterruptedException {
    try {
      return NativeLibraries.topologyProgram(PrivateDirectory.provide(cacheDirectory));
    } catch (IOException e) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          "Cannot read the topology: its program cannot be unpacked into "
              + cacheDirectory
              + " (cache.directory): "
              + e,
          e);
    }
  }
}
