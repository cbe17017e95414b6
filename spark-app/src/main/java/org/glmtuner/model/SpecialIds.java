package org.glmtuner.model;

import java.io.Serializable;
import java.util.stream.IntStream;

/**
 * Ids of the tokens with a meaning of their own.
 *
 * @param mask {@code [MASK]}, marks a place to fill in, older than gmask
 * @param gmask {@code [gMASK]}, ends a prompt
 * @param sop {@code <sop>}, starts the response
 * @param eop {@code <eop>}, ends the response
 * @param pad {@code <pad>}
 */
public record SpecialIds(int mask, int gmask, int sop, int eop, int pad) implements Serializable {

  public SpecialIds {
    if (IntStream.of(mask, gmask, sop, eop, pad).filter(id -> id >= 0).distinct().count() < 5) {
      throw new IllegalArgumentException(
          String.format(
              "Invalid special ids: mask %d, gmask %d, sop %d, eop %d, pad %d"
                  + " (all different, none below 0)",
              mask, gmask, sop, eop, pad));
    }
  }
}
