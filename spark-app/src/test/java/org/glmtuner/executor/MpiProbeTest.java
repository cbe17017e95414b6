package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With the real program; what it refuses, and why, is tested beside it. */
class MpiProbeTest {
  private static final Path PROGRAM = Checkout.root().resolve("native-ddp/target/native/mpi-probe");

  @TempDir Path directory;

  private static void assertUnusable(Path program, Path library, String message) {
    assertThatThrownBy(() -> MpiProbe.of(program, library))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(message);
  }

  @Test
  void aUsableLibraryTellsWhatItIs() throws Exception {
    Path bundled =
        Path.of(
            MpiProbeTest.class
                .getClassLoader()
                .getResource("native/linux-x86_64/mpich/libmpi.so.12")
                .toURI());
    assertThat(MpiProbe.of(PROGRAM, bundled))
        .isEqualTo(new MpiProbe("MPICH Version: 5.0.2", "5.0"));
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
