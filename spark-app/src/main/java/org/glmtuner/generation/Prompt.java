package org.glmtuner.generation;

import java.io.Serializable;

/**
 * A prompt's ids, which end in gMASK and sop.
 *
 * @param id its place among all prompts, from 0, which decides what is drawn for it
 */
public record Prompt(long id, int[] ids) implements Serializable {
  /** As people count, for messages. */
  public long number() {
    return id + 1;
  }
}
