package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.SharedData;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Digests;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReleaseTest {
  @TempDir Path directory;

  private static String remedy(long one, long other) {
    return Release.remedy(
        new Release.Part("config.json", Release.ofVocabulary(one)),
        new Release.Part("model.safetensors", Release.ofVocabulary(other)));
  }

  @Test
  void theFileOfTheOlderReleaseIsTheStaleOne() {
    assertThat(remedy(150528, 130528))
        .isEqualTo(
            "config.json is stale: it is of ChatGLM-6B's first release, of before 2023-04-06,"
                + " model.safetensors is of ChatGLM-6B since 2023-04-06");
    assertThat(remedy(130528, 150528)).startsWith("model.safetensors is stale: it is of ChatGLM");
  }

  @Test
  void filesOfUnknownReleasesAreToBeTakenTogether() {
    assertThat(remedy(130528, 7))
        .isEqualTo(remedy(7, 8))
        .isEqualTo("take config.json and model.safetensors from the same release");
  }

  @Test
  void theRealTokenizerIsKnownByItsContent() throws IOException {
    byte[] model = Files.readAllBytes(SharedData.require("data/chatglm-6b/ice_text.model"));
    PublishedFile known = PublishedFile.ofContent(Digests.hex(model)).orElseThrow();
    assertThat(known.name()).isEqualTo("ice_text.model");
    assertThat(known.bytes()).isEqualTo(model.length);
    assertThat(known.release()).isEqualTo("ChatGLM-6B since 2023-04-06");
  }

  @Test
  void theFirstReleasesConfigurationIsStale() throws IOException {
    byte[] json = Files.readAllBytes(SharedData.require("data/chatglm-6b/config-150528.json"));
    assertThatThrownBy(() -> ChatGlmConfig.parse(json, "config.json"))
        .isInstanceOf(TunerException.class)
        .hasMessage(
            "Invalid vocab_size in config.json: 150528 (config.json is stale: without a"
                + " mask_token_id it is of ChatGLM-6B's first release, of before 2023-04-06; take"
                + " all files of ChatGLM-6B since 2023-04-06)");
  }

  private PublishedFile publish(String name, String release, String content) throws IOException {
    byte[] bytes = content.getBytes(StandardCharsets.US_ASCII);
    Files.write(directory.resolve(name), bytes);
    return new PublishedFile(name, bytes.length, Digests.hex(bytes), release);
  }

  private ReleaseDigests digests(List<PublishedFile> published) throws IOException {
    LocalFolder folder = new LocalFolder(directory);
    return ReleaseDigests.of(folder, folder.names(), published, bytes -> {});
  }

  @Test
  void aReleaseIsRecognisedWhenAllItsFilesAre() throws IOException {
    ReleaseDigests digests = digests(List.of(publish("1", "v1", "a"), publish("2", "v1", "b")));
    assertThat(digests.release()).contains("v1");
    assertThat(digests.mixture()).isEmpty();
  }

  @Test
  void aModelOfOnesOwnIsNoMixture() throws IOException {
    publish("1", "v1", "a");
    PublishedFile other = new PublishedFile("1", 1, "0".repeat(64), "v1");
    ReleaseDigests digests = digests(List.of(other));
    assertThat(digests.release()).isEmpty();
    assertThat(digests.mixture()).isEmpty();
  }

  @Test
  void shardsOfSeveralOriginsAreAMixtureThatNamesTheStale() throws IOException {
    PublishedFile first = publish("1", "v1", "a");
    PublishedFile third = publish("3", "v2", "c");
    PublishedFile second = publish("2", "v1", "b");
    assertThat(digests(List.of(first, second, third)).mixture())
        .contains("by SHA-256, 1, 2 are of v1, 3 is of v2");
    Files.writeString(directory.resolve("2"), "B");
    assertThat(digests(List.of(first, second)).mixture())
        .contains("by SHA-256, 1 is of v1, 2, 3 are of none that is known: stale, or damaged");
  }

  @Test
  void onlyFilesLikePublishedOnesAreRead() throws IOException {
    publish("1", "v1", "a");
    long[] read = {0};
    ReleaseDigests.of(
        new LocalFolder(directory),
        List.of("1"),
        List.of(new PublishedFile("1", 2, "0".repeat(64), "v1")),
        bytes -> read[0] += bytes);
    assertThat(read[0]).isZero();
  }
}
