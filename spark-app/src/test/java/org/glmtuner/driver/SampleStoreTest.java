package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SampleStoreTest {
  @TempDir Path directory;

  @Test
  void theListOfRejectedRowsGoesWhenTheyAreMended() throws IOException {
    Directory run =
        Directory.of(directory.toUri().toString(), HadoopSettings.of(new Configuration()));
    Path list = directory.resolve("rejected/training.jsonl");
    SampleStore.list(List.of(new UnusedRow("F", 3, "it is not JSON")), run, "training");
    assertThat(list).hasContent("{\"file\":\"F\",\"row\":3,\"reason\":\"it is not JSON\"}");
    SampleStore.list(List.of(), run, "training");
    assertThat(list).doesNotExist();
  }
}
