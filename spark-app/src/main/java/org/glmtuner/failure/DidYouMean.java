package org.glmtuner.failure;

import java.util.Collection;
import java.util.Comparator;

/** Finds the name that a user probably meant. */
public final class DidYouMean {

  private DidYouMean() {}

  /**
   * {@code " (did you mean X?)"} for the known name that takes the fewest letters changed, added or
   * removed, ignoring case; empty if that is more than a third of the letters.
   */
  public static String hint(String name, Collection<String> known) {
    return known.stream()
        .filter(other -> distance(name, other) <= Math.max(1, name.length() / 3))
        .min(Comparator.comparingInt(other -> distance(name, other)))
        .map(other -> " (did you mean " + other + "?)")
        .orElse("");
  }

  /** Levenshtein's distance, row by row. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        boolean same =
            Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1));
        int changed = diagonal + (same ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
