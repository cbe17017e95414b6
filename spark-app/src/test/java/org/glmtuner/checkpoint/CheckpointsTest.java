package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointsTest {
  @TempDir Path run;
  private Checkpoints checkpoints;

  @BeforeEach
  void publishTwo() throws IOException {
    checkpoints =
        new Checkpoints(
            Directory.of(run.toUri().toString(), HadoopSettings.of(new Configuration())));
    publish(10, 1.5, 0);
    publish(20, null, 0);
  }

  private void publish(long step, Double evalLoss, int keep) throws IOException {
    Path gathered = Files.createDirectory(run.resolve(".checkpoint-" + step + ".a.tmp"));
    Files.writeString(gathered.resolve("prefix"), "12345");
    checkpoints.publish(
        gathered.getFileName().toString(),
        new Manifest(
            step, 1, "c", evalLoss, false, List.of(new Manifest.Entry("prefix", 5, "digest"))),
        keep);
  }

  private List<String> complete() throws IOException {
    return checkpoints.list().complete().stream().map(Checkpoints.Published::name).toList();
  }

  @Test
  void completeOnesAreListedOldestFirst() throws IOException {
    assertThat(complete()).containsExactly("checkpoint-10", "checkpoint-20");
    assertThat(checkpoints.list().problems()).isEmpty();
  }

  @Test
  void theBestOneStaysHoweverOldItIs() throws IOException {
    publish(30, 1.7, 2);
    publish(40, Double.NaN, 2);
    assertThat(complete()).containsExactly("checkpoint-10", "checkpoint-30", "checkpoint-40");
    assertThat(run.resolve("best")).hasContent("checkpoint-10");
    publish(50, 1.2, 1);
    assertThat(complete()).containsExactly("checkpoint-50");
    assertThat(run.resolve("best")).hasContent("checkpoint-50");
  }

  @Test
  void aCutFileMakesACheckpointNoneAndIsNamed() throws IOException {
    Files.writeString(run.resolve("checkpoint-20/prefix"), "123");
    assertThat(complete()).containsExactly("checkpoint-10");
    assertThat(checkpoints.list().problems())
        .containsExactly(
            "checkpoint-20 is no complete checkpoint: its prefix has 3 bytes, 5 were written");
  }

  @Test
  void aDamagedManifestIsNamed() throws IOException {
    Files.writeString(run.resolve("checkpoint-10/manifest.json"), "{\"step\": ");
    assertThat(checkpoints.list().problems())
        .singleElement()
        .asString()
        .startsWith("checkpoint-10 is no complete checkpoint: its manifest.json is no manifest: ");
  }

  @Test
  void aMissingFileOrManifestIsNamed() throws IOException {
    Files.delete(run.resolve("checkpoint-10/manifest.json"));
    Files.delete(run.resolve("checkpoint-20/prefix"));
    assertThat(complete()).isEmpty();
    assertThat(checkpoints.list().problems())
        .containsExactly(
            "checkpoint-10 is no complete checkpoint: it has no manifest.json",
            "checkpoint-20 is no complete checkpoint: its prefix is missing");
  }
}
