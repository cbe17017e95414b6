package org.glmtuner.data;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.ToIntFunction;

/**
 * Cuts items into pieces of at most so many tokens, in their order; a longer item is a piece of its
 * own. Takes one item more from its source than the pieces that it has given hold.
 */
public final class MicroBatches<T> implements Iterator<List<T>> {
  private final Iterator<T> items;
  private final ToIntFunction<T> tokens;
  private final int budget;
  private T waiting; // did not fit into the piece before

  public MicroBatches(Iterator<T> items, ToIntFunction<T> tokens, int budget) {
    this.items = items;
    this.tokens = tokens;
    this.budget = budget;
  }

  @Override
  public boolean hasNext() {
    return waiting != null || items.hasNext();
  }

  @Override
  public List<T> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    List<T> piece = new ArrayList<>();
    int used = 0;
    while (hasNext()) {
      T item = waiting == null ? items.next() : waiting;
      waiting = null;
      int length = tokens.applyAsInt(item);
      if (!piece.isEmpty() && used + length > budget) {
        waiting = item;
        break;
      }
      piece.add(item);
      used += length;
    }
    return piece;
  }
}
