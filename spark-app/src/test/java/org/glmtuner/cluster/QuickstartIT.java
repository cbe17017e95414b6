package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's first command: HDFS, spark-submit, two executors, two ranks, and texts. */
class QuickstartIT {
  @TempDir Path directory;

  @Test
  void aTrainedPrefixChangesWhatIsWrittenAndHalvesTheLoss() throws Exception {
    Path cache = directory.resolve("cache");
    Leftovers leftovers = Leftovers.watch(cache);
    File log = directory.resolve("log").toFile();
    Process quickstart =
        new ProcessBuilder(
                "bash",
                Checkout.module().resolve("bin/quickstart").toString(),
                "-D",
                "cache.directory=" + cache)
            .redirectErrorStream(true)
            .redirectOutput(log)
            .start();
    assertThat(quickstart.waitFor(5, TimeUnit.MINUTES)).as("ends in time").isTrue();
    assertThat(quickstart.exitValue()).as(Files.readString(log.toPath())).isZero();
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
