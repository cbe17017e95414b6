package org.glmtuner.model;

import java.util.Arrays;
import java.util.Optional;

/**
 * The two vocabularies that ChatGLM-6B was published with. Files of both cannot be mixed: every id
 * of one means another token in the other.
 */
public enum Release {
  FIRST(150_528, 150_000, "ChatGLM-6B's first release, of before 2023-04-06"),
  SLIMMED(130_528, 130_000, "ChatGLM-6B since 2023-04-06");

  private final int vocabSize;
  private final int mask;
  private final String title;

  Release(int vocabSize, int mask, String title) {
    this.vocabSize = vocabSize;
    this.mask = mask;
    this.title = title;
  }

  /** Whose configuration or embedding has so many tokens. */
  public static Optional<Release> ofVocabulary(long tokens) {
    return Arrays.stream(values()).filter(release -> release.vocabSize == tokens).findFirst();
  }

  /** Whose tokenizer has {@code [MASK]} at this id. */
  public static Optional<Release> ofMask(int id) {
    return Arrays.stream(values()).filter(release -> release.mask == id).findFirst();
  }

  /** As it stands in a sentence. */
  public String title() {
    return title;
  }

  /** A file and the release that its content is of, as far as that is known. */
  public record Part(String file, Optional<Release> release) {}

  /**
   * What is to be done about two files that do not fit each other: which of them is stale, where
   * both are of a known release.
   */
  public static String remedy(Part one, Part other) {
    if (one.release().isEmpty()
        || other.release().isEmpty()
        || one.release().equals(other.release())) {
      return "take " + one.file() + " and " + other.file() + " from the same release";
    }
    boolean oneIsOlder = one.release().get().compareTo(other.release().get()) < 0;
    Part stale = oneIsOlder ? one : other;
    Part fresh = oneIsOlder ? other : one;
    return stale.file()
        + " is stale: it is of "
        + stale.release().get().title
        + ", "
        + fresh.file()
        + " is of "
        + fresh.release().get().title;
  }
}
