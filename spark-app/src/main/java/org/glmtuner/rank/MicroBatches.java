package org.glmtuner.rank;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/** Cuts a list into pieces of at most so many tokens; a longer item is a piece of its own. */
final class MicroBatches {
  private MicroBatches() {}

  static <T> List<List<T>> split(List<T> items, ToIntFunction<T> tokens, int budget) {
    List<List<T>> pieces = new ArrayList<>();
    List<T> piece = new ArrayList<>();
    int used = 0;
    for (T item : items) {
      int length = tokens.applyAsInt(item);
      if (!piece.isEmpty() && used + length > budget) {
        pieces.add(piece);
        piece = new ArrayList<>();
        used = 0;
      }
      piece.add(item);
      used += length;
    }
    if (!piece.isEmpty()) {
      pieces.add(piece);
    }
    return pieces;
  }
}
