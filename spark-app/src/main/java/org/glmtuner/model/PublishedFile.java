package org.glmtuner.model;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A file as it was published, by its SHA-256. The weights are those of THUDM/chatglm-6b at revision
 * 8b7d335; its tokenizer is the same since the vocabulary was slimmed.
 *
 * @param release as people call it
 */
public record PublishedFile(String name, long bytes, String sha256, String release) {
  private static final String WEIGHTS = "ChatGLM-6B v1.1, of 2023-05-15";

  private static final List<PublishedFile> ALL =
      List.of(
          shard(
              1, 1_740_651_802, "14dafdc73e1b1da131fec6668f58774bf6eab1215963f92bdd5c7d81dc6ca383"),
          shard(
              2, 1_879_731_432, "8678043a60cd2ce373543fffe8de9508a8cf4266d2c0f088d52167cae74af839"),
          shard(
              3, 1_980_385_902, "84744300522f53f778744012cd95ffd6f0e533515e53034035fe7cca5daf70b0"),
          shard(
              4, 1_913_294_120, "43eb8279007c062e39fd44e536647bc5d0069773c3a69ca087f60aa3b85894d5"),
          shard(
              5, 1_879_722_289, "ccfc9d265ddc00a00e8d6c4f5328c381d64eb2c68e06b5214f4b73bed149e41d"),
          shard(
              6, 1_879_731_496, "f13d68803861c8575a9702c4923e1ef1ed601d8ca17ca62841c32860be24e597"),
          shard(
              7, 1_074_103_621, "570c6a9aad83b2b383765e27f6bddcad40efddeb84f8490aea29dc0e43666ac5"),
          shard(
              8, 1_069_286_123, "39d30a1d55c7e0138ef8b85190f927851f0fda5483a6465b104f9696ceaec8b4"),
          new PublishedFile(
              "ice_text.model",
              2_706_249,
              "5e974d9a69c242ce014c88c2b26089270f6198f3c0b700a887666cd3e816f17e",
              Release.SLIMMED.title()));

  private static PublishedFile shard(int number, long bytes, String sha256) {
    String name = String.format(Locale.ROOT, "pytorch_model-%05d-of-00008.bin", number);
    return new PublishedFile(name, bytes, sha256, WEIGHTS);
  }

  /** The published file of that content, under whatever name. */
  public static Optional<PublishedFile> ofContent(String sha256) {
    return ALL.stream().filter(file -> file.sha256.equals(sha256)).findFirst();
  }

  /** All that are known. */
  static List<PublishedFile> all() {
    return ALL;
  }
}
