package org.glmtuner.executor;

import java.io.Serializable;
import java.util.Comparator;

/**
 * Where a sample goes: to which partition, in which step, and its entry's place in the run's
 * sequence. Rows of the validation set are in step {@link #VALIDATION}, before all others, with the
 * sample's number as place.
 */
public record RowKey(int partition, long step, long index) implements Serializable {
  public static final long VALIDATION = -1;

  /** The order inside a partition. */
  public static final class Order implements Comparator<RowKey>, Serializable {
    private static final long serialVersionUID = 1L;
    private static final Comparator<RowKey> BY_STEP =
        Comparator.comparingInt(RowKey::partition)
            .thenComparingLong(RowKey::step)
            .thenComparingLong(RowKey::index);

    @Override
    public int compare(RowKey a, RowKey b) {
      return BY_STEP.compare(a, b);
    }
  }
}
