package org.glmtuner.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.glmtuner.storage.Digests;
import org.glmtuner.storage.Folder;

/**
 * Which of some files are those of a published release, by SHA-256. Only files that have a
 * published one's name and length are read.
 *
 * @param recognised the files that are, with what they are
 * @param others the names of those that are not
 */
public record ReleaseDigests(Map<String, PublishedFile> recognised, List<String> others) {
  /** Reads the files; {@code progress} hears of each piece how many bytes it had. */
  public static ReleaseDigests of(Folder folder, Collection<String> names, LongConsumer progress)
      throws IOException {
    return of(folder, names, PublishedFile.all(), progress);
  }

  static ReleaseDigests of(
      Folder folder,
      Collection<String> names,
      Collection<PublishedFile> published,
      LongConsumer progress)
      throws IOException {
    Map<String, PublishedFile> recognised = new TreeMap<>();
    List<String> others = new ArrayList<>();
    for (String name : names) {
      long bytes = folder.size(name);
      Optional<PublishedFile> like =
          published.stream()
              .filter(file -> file.name().equals(name) && file.bytes() == bytes)
              .findFirst();
      if (like.isPresent() && Digests.hex(folder, name, progress).equals(like.get().sha256())) {
        recognised.put(name, like.get());
      } else {
        others.add(name);
      }
    }
    return new ReleaseDigests(recognised, others);
  }

  /** The release that all the files are of, if they are. */
  public Optional<String> release() {
    List<String> releases =
        recognised.values().stream().map(PublishedFile::release).distinct().toList();
    return others.isEmpty() && releases.size() == 1
        ? Optional.of(releases.get(0))
        : Optional.empty();
  }

  /** Why the files do not belong together, in a sentence, if some are published and others not. */
  public Optional<String> mixture() {
    if (recognised.isEmpty() || release().isPresent()) {
      return Optional.empty();
    }
    Map<String, List<String>> byRelease = new LinkedHashMap<>();
    recognised.forEach(
        (name, file) ->
            byRelease.computeIfAbsent(file.release(), release -> new ArrayList<>()).add(name));
    List<String> parts = new ArrayList<>();
    byRelease.forEach((release, files) -> parts.add(list(files) + " of " + release));
    if (!others.isEmpty()) {
      parts.add(list(others) + " of none that is known: stale, or damaged");
    }
    return Optional.of("by SHA-256, " + String.join(", ", parts));
  }

  private static String list(List<String> names) {
    return String.join(", ", names) + (names.size() == 1 ? " is" : " are");
  }
}
