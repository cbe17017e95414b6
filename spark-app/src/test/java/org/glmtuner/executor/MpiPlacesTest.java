package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MpiPlacesTest {
  @TempDir Path directory;

  private Path create(String path) throws IOException {
    Path file = directory.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.createFile(file);
  }

  @Test
  void whatSetupHasFetchedComesFirstTheNewestOfIt() throws IOException {
    Path installed = create("oneapi/lib/libmpi.so.12");
    Map<String, String> environment =
        Map.of(
            "HOME",
            directory.resolve("home").toString(),
            "I_MPI_ROOT",
            directory.resolve("oneapi").toString());
    assertThat(MpiPlaces.of(environment).find("intel")).isEqualTo(installed);
    create("home/.cache/glm-tuner/impi-rt-2021.14.2/lib/libmpi.so.12");
    create("home/.cache/glm-tuner/impi-rt-2021.9.0/lib/libmpi.so.12");
    Path newest = create("home/.cache/glm-tuner/impi-rt-2021.19.0/lib/libmpi.so.12");
    assertThat(MpiPlaces.of(environment).find("intel")).isEqualTo(newest);
  }

  @Test
  void anOlderInstallationHasItsLibraryInRelease() throws IOException {
    Path installed = create("oneapi/lib/release/libmpi.so.12");
    assertThat(
            MpiPlaces.of(Map.of("I_MPI_ROOT", directory.resolve("oneapi").toString()))
                .find("intel"))
        .isEqualTo(installed);
  }

  @Test
  void whereNoneIsThePlacesAreNamed() {
    Path first = directory.resolve("a/libmpi.so.12");
    Path second = directory.resolve("b/libmpich.so.12");
    assertThatThrownBy(() -> new MpiPlaces(List.of(), List.of(first, second)).find("mpich"))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessage(
            "Cannot find the MPI library mpich (mpi.library): none of "
                + first
                + ", "
                + second
                + " is there");
    assertThat(MpiPlaces.of(Map.of("GLM_TUNER_CACHE", directory.toString())).intel())
        .first()
        .isEqualTo(directory.resolve("impi-rt-*/lib/libmpi.so.12"));
  }
}
