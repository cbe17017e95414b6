package org.glmtuner.cluster;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** MPI libraries that tests run with where they are installed. */
public enum InstalledMpi {
  BUNDLED("MPICH Version: 5.0.2", "", ""),
  INTEL_2021_14_2(
      "Intel(R) MPI Library 2021.14",
      "impi-rt-2021.14.2/lib/libmpi.so.12",
      "setup --intel-mpi=2021.14.2"),
  INTEL_2021_19_0(
      "Intel(R) MPI Library 2021.19",
      "impi-rt-2021.19.0/lib/libmpi.so.12",
      "setup --intel-mpi=2021.19.0"),
  DEBIAN_MPICH(
      "MPICH Version:", "/usr/lib/x86_64-linux-gnu/libmpich.so.12", "apt-get install libmpich12");

  private final String version;
  private final String path;
  private final String installation;

  InstalledMpi(String version, String path, String installation) {
    this.version = version;
    this.path = path;
    this.installation = installation;
  }

  /** How the library's own name for itself starts. */
  public String version() {
    return version;
  }

  /** Speaks TCP by libfabric, not by UCX. */
  public boolean isIntel() {
    return this == INTEL_2021_14_2 || this == INTEL_2021_19_0;
  }

  /** What moves its messages between hosts, by our presets. */
  public String layer() {
    return isIntel() ? "libfabric (FI_PROVIDER=tcp)" : "UCX";
  }

  /** {@code mpi.library}; skips the test where the library is not installed. */
  public String library() {
    if (path.isEmpty()) {
      return path;
    }
    Path library = Checkout.toolchain().resolve(path);
    assumeTrue(Files.exists(library), () -> "no " + library + ": run " + installation);
    return library.toString();
  }
}
