package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs that cannot be: one clear sentence, the right exit code, within seconds, and no rank has
 * been started.
 */
abstract class RefusedRuns {
  static final Duration LIMIT = Duration.ofSeconds(40);

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir Path directory;
  Path rows;
  Path run;

  /** Where each rank that is started leaves a line. */
  private Path started;

  private Path javaHome;

  @BeforeEach
  void writeRows() throws Exception {
    rows = goldenRows(directory);
    run = directory.resolve("run");
    started = directory.resolve("started");
    javaHome = noticingJava(directory.resolve("java"));
  }

  private static Path goldenRows(Path directory) throws IOException {
    return GoldenRows.write(
        Checkout.goldenSmall(),
        IntStream.range(0, GoldenRows.ROWS).boxed().toList(),
        directory.resolve("rows.jsonl"));
  }

  /** A home of a Java that tells when it is run. */
  private Path noticingJava(Path home) throws IOException {
    Path java = Files.createDirectories(home.resolve("bin")).resolve("java");
    Files.writeString(
        java,
        """
        #!/bin/sh
        echo $$ >> '%s'
        exec '%s/bin/java' "$@"
        """
            .formatted(started, System.getProperty("java.home")));
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    return home;
  }

  final Submission.Builder train() {
    return command("train")
        .set("run.directory", run)
        .set("prefix.length", 8)
        .set("training.max-steps", 4);
  }

  final Submission.Builder score(String... arguments) {
    return command("score").arguments(arguments);
  }

  private Submission.Builder command(String name) {
    return Submission.of(directory, name)
        .set("model.path", Checkout.goldenSmall().resolve("model"))
        .set("data.train", rows)
        .set("ranks.count", 1)
        .set("ranks.cores", 1)
        .set("ranks.java-home", javaHome)
        .cache(cache);
  }

  /** Ends with success, with so many ranks. */
  final void succeeds(Submission.Builder builder, int ranks) throws Exception {
    try (Submission submission = builder.start()) {
      assertThat(submission.await(LIMIT)).as(submission.err()).isZero();
    }
    assertThat(started()).hasSize(ranks);
    Files.delete(started);
  }

  /** Fails with that code, says that on standard error and in the last line, leaves nothing. */
  final void fails(Submission.Builder builder, ExitCode code, String... sentences)
      throws Exception {
    Path used = Path.of(builder.setting("cache.directory"));
    Leftovers leftovers = Leftovers.watch(used);
    try (Submission submission = builder.start()) {
      assertThat(submission.await(LIMIT)).as(submission.err()).isEqualTo(code.number());
      assertThat(submission.err()).contains(sentences).doesNotContain("\tat ");
      assertThat(submission.result().get("status").getAsString()).isEqualTo("failed");
      assertThat(submission.result().get("exit_code").getAsInt()).isEqualTo(code.number());
      assertThat(submission.result().get("error").getAsString()).contains(sentences);
      leftovers.assertNone();
      assertThat(started()).as("ranks that were started: " + submission.err()).isEmpty();
    }
    Path attempts = used.resolve("attempts");
    if (Files.isDirectory(attempts)) {
      assertThat(attempts).isEmptyDirectory();
    }
  }

  private List<String> started() throws IOException {
    return Files.exists(started) ? Files.readAllLines(started) : List.of();
  }
}
