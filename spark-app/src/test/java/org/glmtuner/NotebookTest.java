package org.glmtuner;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.glmtuner.cluster.Checkout;
import org.junit.jupiter.api.Test;

/** The notes are what Zeppelin imports: named after their ids, not run, of known interpreters. */
class NotebookTest {
  private static final Set<String> INTERPRETERS = Set.of("%md", "%spark", "%spark-submit");

  private static List<Path> notes() throws Exception {
    try (Stream<Path> files = Files.list(Checkout.root().resolve("notebooks"))) {
      return files.filter(file -> file.toString().endsWith(".zpln")).toList();
    }
  }

  @Test
  void everyNoteCanBeImported() throws Exception {
    assertThat(notes()).isNotEmpty();
    for (Path file : notes()) {
      JsonObject note = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
      assertThat(file.getFileName().toString())
          .endsWith("_" + note.get("id").getAsString() + ".zpln");
      Set<String> ids = new HashSet<>();
      for (JsonElement element : note.getAsJsonArray("paragraphs")) {
        JsonObject paragraph = element.getAsJsonObject();
        String text = paragraph.get("text").getAsString();
        assertThat(ids.add(paragraph.get("id").getAsString())).as(text).isTrue();
        assertThat(paragraph.get("status").getAsString()).as(text).isEqualTo("READY");
        assertThat(paragraph.has("results")).as(text).isFalse();
        assertThat(INTERPRETERS).contains(text.lines().findFirst().orElseThrow().strip());
      }
    }
  }

  @Test
  void whatNotesSubmitExists() throws Exception {
    for (Path file : notes()) {
      String text = Files.readString(file);
      assertThat(text).contains("--class org.glmtuner.cli.GlmTuner");
      assertThat(Class.forName("org.glmtuner.cli.GlmTuner")).isNotNull();
    }
  }
}
