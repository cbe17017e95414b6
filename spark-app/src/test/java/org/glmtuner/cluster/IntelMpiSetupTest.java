package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code setup --intel-mpi} with a pip that has a wheel already. */
class IntelMpiSetupTest {
  private static final String VERSION = "2021.14.2";
  private static final String LICENCE = "You may use this if you are kind.";
  private static final String DATA = "impi_rt-" + VERSION + ".data/data/";
  private static final String INFORMATION = "impi_rt-" + VERSION + ".dist-info/";

  @TempDir Path directory;
  private Path cache;
  private Path programs;

  /** What a setup said, both of its outputs, and how it ended. */
  private record Setup(int exitCode, String said) {}

  @BeforeEach
  void prepare() throws IOException {
    cache = directory.resolve("it's-$HOME;[*]"); // setup quotes what it is given
    programs = Files.createDirectory(directory.resolve("programs"));
    Path wheel = directory.resolve("impi_rt-" + VERSION + "-py2.py3-none-manylinux1_x86_64.whl");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
      add(zip, DATA + "lib/libmpi.so.12", "the library");
      add(zip, DATA + "lib/libmpi_shm_heap_proxy.so", "");
      add(zip, DATA + "lib/libmpifort.so.12", "of no use here");
      add(zip, DATA + "lib/mpi/libmpi_ze_hooks.so", "");
      add(zip, DATA + "lib/libfabric/libfabric.so.1", "its network");
      add(zip, DATA + "opt/mpi/etc/tuning_skx_shm.dat", "");
      add(zip, DATA + "etc/tuning_emr_shm.dat", "");
      add(zip, DATA + "share/doc/mpi/licensing/third-party.txt", "");
      add(zip, INFORMATION + "LICENSE.txt", LICENCE);
      add(zip, INFORMATION + "METADATA", "");
    }
    String python =
        """
        #!/bin/bash
        [ "$1 $2" = '-m pip' ] || exit 9
        [ "$3" != --version ] || exit 0
        while [ "$1" != --dest ]; do shift; done
        cp '%s' "$2"
        """
            .formatted(wheel);
    Files.writeString(programs.resolve("python3"), python);
    Files.setPosixFilePermissions(
        programs.resolve("python3"), PosixFilePermissions.fromString("rwx------"));
  }

  private static void add(ZipOutputStream zip, String name, String text) throws IOException {
    zip.putNextEntry(new ZipEntry(name));
    zip.write(text.getBytes(StandardCharsets.UTF_8));
    zip.closeEntry();
  }

  private Setup setup(List<String> command, String input) throws Exception {
    Path said = directory.resolve("said");
    Path typed = Files.writeString(directory.resolve("typed"), input);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .redirectInput(typed.toFile());
    builder.environment().put("PATH", programs + ":" + System.getenv("PATH"));
    builder.environment().put("GLM_TUNER_CACHE", cache.toString());
    Process process = builder.start();
    try {
      assertThat(process.waitFor(1, TimeUnit.MINUTES)).as(Files.readString(said)).isTrue();
      return new Setup(process.exitValue(), Files.readString(said));
    } finally {
      process.destroyForcibly();
    }
  }

  private static String script() {
    return Checkout.module().resolve("bin/setup").toString();
  }

  private Setup withoutTerminal(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("bash", script()));
    command.addAll(List.of(arguments));
    return setup(command, "yes\n");
  }

  /** Under {@code script}, which is a terminal for it. */
  private Setup inTerminal(String typed) throws Exception {
    String command = "bash '" + script() + "' --intel-mpi";
    return setup(List.of("script", "-q", "-e", "-c", command, "/dev/null"), typed);
  }

  private List<String> installed() throws IOException {
    Path root = cache.resolve("impi-rt-" + VERSION);
    if (!Files.exists(root)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> root.relativize(file).toString())
          .sorted()
          .toList();
    }
  }

  /** Neither the library nor what was fetched to show its licence. */
  private void assertNothingWasInstalled() throws IOException {
    try (Stream<Path> files = Files.walk(cache)) {
      assertThat(files.map(file -> cache.relativize(file).toString()).sorted())
          .containsExactly("", "downloads", "lock");
    }
  }

  private void assertInstalled() throws IOException {
    assertThat(installed())
        .containsExactly(
            "LICENSE.txt",
            "etc/tuning_emr_shm.dat",
            "lib/libfabric/libfabric.so.1",
            "lib/libmpi.so.12",
            "lib/libmpi_shm_heap_proxy.so",
            "lib/mpi/libmpi_ze_hooks.so",
            "opt/mpi/etc/tuning_skx_shm.dat",
            "share/doc/mpi/licensing/third-party.txt");
  }

  @Test
  void whereNobodyCanBeAskedNothingIsInstalled() throws Exception {
    Setup setup = withoutTerminal("--intel-mpi=" + VERSION);
    assertThat(setup.exitCode()).as(setup.said()).isEqualTo(3);
    assertThat(setup.said())
        .contains(
            LICENCE,
            "Cannot set up Intel MPI 2021.14.2: its licence, shown above, must be accepted; run in a terminal, or with --accept-licence");
    assertNothingWasInstalled();
  }

  @ParameterizedTest
  @ValueSource(strings = {"no\n", "\n", "y\n", "\004"})
  void whoDoesNotSayYesGetsNothing(String answer) throws Exception {
    Setup setup = inTerminal(answer);
    assertThat(setup.exitCode()).as(setup.said()).isEqualTo(5);
    assertThat(setup.said())
        .contains(
            LICENCE,
            "Do you accept this licence of Intel MPI 2021.14.2? (yes or no)",
            "Intel MPI 2021.14.2 was not set up: its licence was not accepted");
    assertNothingWasInstalled();
  }

  @Test
  void whoSaysYesGetsWhatRanksNeed() throws Exception {
    Setup setup = inTerminal("yes\n");
    assertThat(setup.exitCode()).as(setup.said()).isZero();
    assertThat(setup.said()).contains(LICENCE, "Intel MPI is in " + cache + "/impi-rt-2021.14.2");
    assertInstalled();
  }

  @Test
  void anOptionStandsForTheAnswerAndWhatIsThereIsNotFetchedAgain() throws Exception {
    Setup setup = withoutTerminal("--intel-mpi", "--accept-licence");
    assertThat(setup.exitCode()).as(setup.said()).isZero();
    assertThat(setup.said()).contains(LICENCE);
    assertInstalled();
    Setup again = withoutTerminal("--intel-mpi");
    assertThat(again.exitCode()).as(again.said()).isZero();
    assertThat(again.said()).doesNotContain("downloading", LICENCE);
  }

  @Test
  void aVersionThatIsNotKnownIsRefused() throws Exception {
    Setup setup = withoutTerminal("--intel-mpi=2019.1");
    assertThat(setup.exitCode()).isEqualTo(2);
    assertThat(setup.said()).contains("Invalid arguments: --intel-mpi=2019.1 (known are ");
    assertThat(cache).doesNotExist();
  }
}
