package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** With the real program, and with libraries that the tests beside it are built with. */
class MpiProbeTest {
  private static final Path PROGRAM = Checkout.root().resolve("native-ddp/target/native/mpi-probe");

  @TempDir Path directory;

  private static void assertUnusable(Path program, Path library, String message) {
    assertThatThrownBy(() -> MpiProbe.of(program, library, Map.of()))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(message);
  }

  private static Path bundled() throws URISyntaxException {
    return Path.of(
        MpiProbeTest.class
            .getClassLoader()
            .getResource("native/linux-x86_64/mpich/libmpi.so.12")
            .toURI());
  }

  @Test
  void aUsableLibraryTellsWhatItIs() throws Exception {
    assertThat(MpiProbe.of(PROGRAM, bundled(), Map.of()))
        .isEqualTo(new MpiProbe("MPICH Version: 5.0.2", "5.0"));
  }

  @Test
  void theEnvironmentOfRanksSaysWhereTheLibrariesOfTheLibraryAre() throws Exception {
    Path alone = Files.copy(bundled(), directory.resolve("libmpi.so.12"));
    String parts = bundled().resolveSibling("mpich").toString();
    assertThat(MpiProbe.of(PROGRAM, alone, Map.of("LD_LIBRARY_PATH", parts)))
        .isEqualTo(new MpiProbe("MPICH Version: 5.0.2", "5.0"));
  }

  @Test
  void nothingElseIsInItsEnvironmentButWhatRanksInherit() throws Exception {
    Path program = directory.resolve("probe");
    Files.writeString(
        program,
        """
        #!/bin/sh
        printf '{"version": "%s, %s, %s", "standard": "4.1"}\\n' "$LD_LIBRARY_PATH" "$OMP_NUM_THREADS" "$HOME"
        """);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    assertThat(System.getenv("OMP_NUM_THREADS")).as("of this process").isNotEmpty();
    Map<String, String> environment = Map.of("LD_LIBRARY_PATH", "/opt/parts");
    assertThat(MpiProbe.of(program, Path.of("/libmpi.so.12"), environment).version())
        .isEqualTo("/opt/parts, , " + System.getenv("HOME"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "open_mpi | it is Open MPI v4.1.4, which has another ABI (MPICH's is needed: MPICH, Intel MPI or MVAPICH2)",
        "standard_abi | it is MPICH Version: 5.0.2, which has the standard's ABI (MPICH's is needed: MPICH, Intel MPI or MVAPICH2)",
        "old_mpich | MPICH Version: 3.1.4 implements MPI 3.0 (3.1 is needed, as of MPICH 3.2)",
        "half_mpich | it has no function MPI_Init_thread"
      },
      quoteCharacter = '"')
  void aLibraryThatRanksCannotUseIsRefusedWithTheReason(String name, String reason) {
    Path library = Checkout.fakeMpi(name);
    assertUnusable(
        PROGRAM,
        library,
        "Cannot use the MPI library " + library + ": " + reason + " (mpi.library)");
  }

  @Test
  void aLibraryThatIsNotThereOrNoneIsNamedWithItsKey() throws Exception {
    assertUnusable(
        PROGRAM,
        Path.of("/nowhere/libmpi.so.12"),
        "Cannot load the MPI library /nowhere/libmpi.so.12: cannot open shared object file:"
            + " No such file or directory (mpi.library)");
    Path text = Files.writeString(directory.resolve("libmpi.so.12"), "no library".repeat(20));
    assertUnusable(
        PROGRAM,
        text,
        "Cannot load the MPI library " + text + ": invalid ELF header (mpi.library)");
  }

  @Test
  void aLibraryThatEndsTheProcessIsNamed() {
    assertUnusable(
        Path.of("/bin/false"),
        Path.of("/libmpi.so.12"),
        "Cannot use the MPI library /libmpi.so.12: the process that loaded it ended with code 1"
            + " (mpi.library)");
  }
}
