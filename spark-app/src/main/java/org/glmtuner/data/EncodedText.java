package org.glmtuner.data;

import java.util.Arrays;

/**
 * The ids of a text as far as they fit.
 *
 * @param cut number of tokens that did not fit
 */
@SuppressWarnings("ArrayRecordComponent") // lives within one call
public record EncodedText(int[] ids, int cut) {

  /** The first {@code limit} of {@code ids}. */
  static EncodedText head(int[] ids, int limit) {
    return ids.length <= limit
        ? new EncodedText(ids, 0)
        : new EncodedText(Arrays.copyOf(ids, limit), ids.length - limit);
  }
}
