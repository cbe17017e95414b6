package org.glmtuner.data;

import java.util.List;

/**
 * What a row asks.
 *
 * @param query the newest text, never empty
 * @param history the turns before it
 * @param conversational whether the row has a history column at all, perhaps without turns
 */
record Question(String query, List<Turn> history, boolean conversational) {

  /** A query that stands alone. */
  static Question of(String query) {
    return new Question(query, List.of(), false);
  }
}
