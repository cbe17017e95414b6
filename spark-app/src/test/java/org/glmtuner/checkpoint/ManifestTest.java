package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.glmtuner.storage.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestTest {
  @TempDir Path directory;

  private Manifest.Examination examine(String json) throws IOException {
    Files.writeString(directory.resolve(Manifest.FILE), json);
    Files.writeString(directory.resolve("prefix"), "12345");
    return Manifest.examine(Directory.ofArgument(directory.toString()));
  }

  private static String with(String files) {
    return "{\"step\": 3, \"worldSize\": 1, \"checksum\": \"c\", \"files\": " + files + "}";
  }

  @Test
  void oneThatFitsItsFilesIsOne() throws IOException {
    Manifest.Examination found =
        examine(with("[{\"name\": \"prefix\", \"bytes\": 5, \"sha256\": \"d\"}]"));
    assertThat(found.problem()).isEmpty();
    assertThat(found.manifest().orElseThrow().step()).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "|has no step",
        "null|is no JSON object",
        "[]|is no JSON object",
        "{\"files\": [{}]}|has no step",
        "{\"step\": null, \"worldSize\": 1, \"checksum\": \"c\", \"files\": []}|has no step",
        "{\"step\": 3, \"worldSize\": 1, \"checksum\": null, \"files\": []}|has no checksum",
        "{\"step\": \"x\", \"worldSize\": 1, \"checksum\": \"c\", \"files\": [{}]}|is no manifest",
        "{\"step\": 3|is no manifest",
      })
  void whatIsNoManifestIsNamed(String json, String problem) throws IOException {
    assertThat(examine(json == null ? "{}" : json).problem())
        .startsWith("its manifest.json " + problem);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"\"|is no manifest",
        "{}|is no manifest",
        "[]|lists no files",
        "[1]|is no manifest",
        "[null]|names the file null (a plain file name)",
        "[{}]|names the file null (a plain file name)",
        "[{\"name\": \"\"}]|names the file  (a plain file name)",
        "[{\"name\": \"..\"}]|names the file .. (a plain file name)",
        "[{\"name\": \"../prefix\"}]|names the file ../prefix (a plain file name)",
        "[{\"name\": \"/etc/passwd\"}]|names the file /etc/passwd (a plain file name)",
        "[{\"name\": \"a:b\"}]|names the file a:b (a plain file name)",
        "[{\"name\": \"prefix\", \"bytes\": 5}]|has no sha256 of prefix",
        "[{\"name\": \"prefix\", \"bytes\": null, \"sha256\": \"d\"}]|is no manifest",
      })
  void filesThatCannotBeThoseOfACheckpointAreNamed(String files, String problem)
      throws IOException {
    assertThat(examine(with(files)).problem()).startsWith("its manifest.json " + problem);
  }
}
