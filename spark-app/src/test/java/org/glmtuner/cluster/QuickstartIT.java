package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's first command: HDFS, spark-submit, two executors, two ranks, and texts. */
class QuickstartIT {
  @TempDir Path directory;

  private Path cache() {
    return directory.resolve("cache");
  }

  private String log() throws IOException {
    return Files.readString(directory.resolve("log"));
  }

  private Process start() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                "bash",
                Checkout.module().resolve("bin/quickstart").toString(),
                "-D",
                "cache.directory=" + cache(),
                "-D",
                "ranks.claims=" + cache().resolve("cpus.lock"))
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("log").toFile());
    builder.environment().put("GLM_TUNER_CACHE", Checkout.toolchain().toString());
    return builder.start();
  }

  private static void end(Process quickstart) {
    quickstart.descendants().forEach(ProcessHandle::destroyForcibly);
    quickstart.destroyForcibly().onExit().join();
  }

  @Test
  @Tag("full")
  void whenTerminatedItEndsTheTrainingAndHdfs() throws Exception {
    Leftovers leftovers = Leftovers.watch(cache());
    Process quickstart = start();
    try {
      await().atMost(Duration.ofMinutes(2)).until(() -> log().contains("step 10/"));
      List<ProcessHandle> started = quickstart.descendants().toList();
      quickstart.destroy();
      assertThat(quickstart.waitFor(30, TimeUnit.SECONDS)).as(log()).isTrue();
      assertThat(quickstart.exitValue()).isEqualTo(ExitCode.CANCELLED.number());
      await()
          .atMost(Duration.ofSeconds(5))
          .until(() -> started.stream().noneMatch(ProcessHandle::isAlive));
    } finally {
      end(quickstart);
    }
    leftovers.assertNone();
  }

  @Test
  void aTrainedPrefixChangesWhatIsWrittenAndHalvesTheLoss() throws Exception {
    Leftovers leftovers = Leftovers.watch(cache());
    Process quickstart = start();
    try {
      assertThat(quickstart.waitFor(5, TimeUnit.MINUTES)).as("ends in time: %s", log()).isTrue();
      assertThat(quickstart.exitValue()).as(log()).isZero();
    } finally {
      end(quickstart);
    }
    leftovers.assertNone();

    Path results = Checkout.module().resolve("target/quickstart");
    JsonObject result =
        JsonParser.parseString(Files.readString(results.resolve("result.json"))).getAsJsonObject();
    assertThat(result.get("status").getAsString()).isEqualTo("finished");
    assertThat(result.get("world_size").getAsInt()).isEqualTo(2);
    assertThat(result.get("steps").getAsInt()).isGreaterThanOrEqualTo(100);
    assertThat(result.get("backend").getAsString()).startsWith("mpi (MPICH Version: 5.0.2");
    assertThat(result.get("checkpoint").getAsString()).startsWith("hdfs://");
    assertThat(result.get("best_eval_loss").getAsDouble())
        .isLessThanOrEqualTo(result.get("base_eval_loss").getAsDouble() / 2);

    List<JsonObject> completions =
        Files.readAllLines(results.resolve("completions.jsonl")).stream()
            .map(line -> JsonParser.parseString(line).getAsJsonObject())
            .toList();
    assertThat(completions).hasSize(5);
    for (JsonObject completion : completions) {
      assertThat(completion.get("text").getAsString())
          .isNotEmpty()
          .isNotEqualTo(completion.get("base_text").getAsString());
    }
  }
}
