package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code convert} and {@code inspect} as users start them, from HDFS and to it. */
class ConvertIT {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @TempDir Path directory;

  private JsonObject run(HdfsProcess hdfs, ExitCode code, String... arguments) throws Exception {
    try (Submission submission = Submission.of(directory, arguments).hdfs(hdfs).run(LIMIT)) {
      assertThat(submission.await(LIMIT)).as(submission.err()).isEqualTo(code.number());
      assertThat(submission.err()).doesNotContain("\tat ");
      return submission.result();
    }
  }

  @Test
  void modelsAndPrefixesAreConvertedFromHdfsAndToIt() throws Exception {
    try (HdfsProcess hdfs = HdfsProcess.start(directory.resolve("hdfs"))) {
      String model = hdfs.put(Checkout.goldenSmall().resolve("model-fp16-sharded"), "/model");
      String prefix = hdfs.put(Checkout.goldenSmall().resolve("prefix-init/p8"), "/prefix");

      Path weights = directory.resolve("weights.safetensors");
      JsonObject line = run(hdfs, ExitCode.DONE, "convert", model, "--output", weights.toString());
      assertThat(line.get("bytes").getAsLong()).isEqualTo(Files.size(weights));

      // A path of the configuration without a scheme is on the default file system.
      Path cache = directory.resolve("cache");
      line =
          run(
              hdfs,
              ExitCode.DONE,
              "convert",
              "-D",
              "model.path=/model",
              "-D",
              "cache.directory=" + cache);
      assertThat(Path.of(line.get("output").getAsString())).hasSameBinaryContentAs(weights);

      String copy = hdfs.uri() + "/copy";
      run(hdfs, ExitCode.DONE, "convert", model, "--to", "safetensors", "--output", copy);
      line = run(hdfs, ExitCode.DONE, "inspect", copy, "--verify");
      assertThat(line.get("holds").getAsString()).isEqualTo("model");
      assertThat(line.get("problems").getAsInt()).isZero();

      String official = hdfs.uri() + "/official";
      run(hdfs, ExitCode.DONE, "convert", prefix, "--to", "official", "--output", official);
      line = run(hdfs, ExitCode.DONE, "inspect", official);
      assertThat(line.get("holds").getAsString()).isEqualTo("prefix");
      assertThat(run(hdfs, ExitCode.INVALID, "convert", prefix, "--output", copy))
          .extracting(refusal -> refusal.get("error").getAsString())
          .isEqualTo("Invalid path: " + copy + " (it exists, and nothing is overwritten)");
      assertThat(hdfs.directory("/").children())
          .containsExactly("copy", "model", "official", "prefix");
    }
  }
}
