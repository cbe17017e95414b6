package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.MpiConfig;
import org.glmtuner.config.MpiPreset;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  @ParameterizedTest
  @CsvSource({
    "mpi.interface, eth1, {interface}, {interface}",
    "mpi.port-range, 50000-50010, {port-range}, {last-port}",
  })
  void whatNoVariableOfThePresetTakesIsRefused(
      String key, String value, String placeholder, String taken) {
    Path library = Path.of("/opt/mvapich2/lib/libmpi.so.12");
    String version = "MVAPICH2 Version: 2.3.7";
    MpiConfig unheard = config(key, value, "mpi.presets.other.A", "1");
    assertThatThrownBy(() -> check(unheard, library, version))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(
            "Cannot use "
                + key
                + " with the MPI library /opt/mvapich2/lib/libmpi.so.12, MVAPICH2 Version: 2.3.7:"
                + " no variable in its preset takes it (name one in the configuration, such as"
                + " mpi.presets.other.NAME = \""
                + placeholder
                + "\")");
    check(unheard, library, MPICH);
    check(unheard, library, INTEL);
    String file = "mpi.presets.other.MV2_NET = \"" + taken + "\"";
    check(ConfigLoader.load(file, "", Map.of(key, value)).mpi(), library, version);
  }

  private static void check(MpiConfig config, Path library, String version) {
    MpiPreset preset = MpiLibrary.preset(config.presets(), version);
    MpiLibrary.checkNetwork(config.network(), preset, library, version);
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
