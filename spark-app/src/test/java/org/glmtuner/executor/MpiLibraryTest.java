package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.MpiConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ranks get in their environment for a library. */
class MpiLibraryTest {
  private static final String MPICH = "MPICH Version: 5.0.2";
  private static final String INTEL = "Intel(R) MPI Library 2021.14 for Linux* OS";

  @TempDir Path directory;

  private Path create(String path) throws IOException {
    Path file = directory.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.createFile(file);
  }

  private static MpiConfig config(String... overrides) {
    Map<String, String> given =
        overrides.length == 0
            ? Map.of()
            : Map.of(overrides[0], overrides[1], overrides[2], overrides[3]);
    return ConfigLoader.load("", "", given).mpi();
  }

  private static Map<String, String> preset(
      MpiConfig config, String version, Path library, Path libfabric) {
    return MpiLibrary.preset(config.presets(), version)
        .fill(MpiLibrary.placeholders(config.network(), library, libfabric));
  }

  @Test
  void mpichNeedsNothingUnlessInterfaceAndPortsAreGiven() {
    Path library = Path.of("/usr/lib/libmpi.so.12");
    Path libfabric = Path.of("/none/libfabric.so.1");
    assertThat(preset(config(), MPICH, library, libfabric)).isEmpty();
    MpiConfig given = config("mpi.interface", "eth1", "mpi.port-range", "50000 - 50010");
    assertThat(preset(given, MPICH, library, libfabric))
        .isEqualTo(
            Map.of(
                "UCX_NET_DEVICES", "eth1",
                "UCX_TCP_PORT_RANGE", "50000-50010",
                "FI_TCP_IFACE", "eth1",
                "FI_TCP_PORT_LOW_RANGE", "50000",
                "FI_TCP_PORT_HIGH_RANGE", "50010"));
  }

  @Test
  void intelMpiIsToldWhereItIsAndWhereItsLibfabricIs() throws IOException {
    Path library = create("impi/lib/libmpi.so.12");
    Path own = create("impi/lib/libfabric/libfabric.so.1");
    Files.createDirectory(own.resolveSibling("prov"));
    Path bundled = create("bundled/libfabric.so.1");
    assertThat(MpiLibrary.libfabric(library, bundled)).isEqualTo(own);
    assertThat(preset(config(), INTEL, library, own))
        .isEqualTo(
            Map.of(
                "I_MPI_PIN",
                "off",
                "I_MPI_FABRICS",
                "shm:ofi",
                "I_MPI_ROOT",
                directory.resolve("impi").toString(),
                "I_MPI_OFI_LIBRARY",
                own.toString(),
                "FI_PROVIDER_PATH",
                own.resolveSibling("prov").toString(),
                "FI_PROVIDER",
                "tcp"));
  }

  @Test
  void whereIntelMpiHasNoLibfabricItGetsTheBundledOne() throws IOException {
    Path library = create("oneapi/lib/release/libmpi.so.12");
    Path bundled = create("bundled/libfabric.so.1");
    assertThat(MpiLibrary.libfabric(library, bundled)).isEqualTo(bundled);
    assertThat(preset(config(), INTEL, library, bundled))
        .containsEntry("I_MPI_ROOT", directory.resolve("oneapi").toString())
        .containsEntry("I_MPI_OFI_LIBRARY", bundled.toString())
        .doesNotContainKey("FI_PROVIDER_PATH");
    Path own = create("oneapi/opt/mpi/libfabric/lib/libfabric.so.1");
    assertThat(MpiLibrary.libfabric(library, bundled)).isEqualTo(own);
  }

  @Test
  void aLibraryOutsideAnyLibIsItsOwnRoot() {
    Path library = Path.of("/nfs/mpi/libmpi.so.12");
    assertThat(preset(config(), INTEL, library, Path.of("/none/libfabric.so.1")))
        .containsEntry("I_MPI_ROOT", "/nfs/mpi");
  }

  @Test
  void aVariableThatIsSetEmptyIsLeftOutAndOthersMayBeAdded() {
    MpiConfig config = config("mpi.presets.intel.FI_PROVIDER", "", "mpi.presets.other.A", "1");
    Path library = Path.of("/x/lib/libmpi.so.12");
    assertThat(preset(config, INTEL, library, library))
        .containsKey("I_MPI_PIN")
        .doesNotContainKey("FI_PROVIDER");
    assertThat(preset(config, "MVAPICH2 Version: 2.3.7", library, library))
        .isEqualTo(Map.of("A", "1"));
  }
}
