package org.glmtuner.nativeddp;

import static org.glmtuner.nativeddp.Checks.check;

/**
 * Dropout on the prefix, drawn anew for every sample; kept elements are multiplied by {@code 1 / (1
 * - rate)}. Whether an element is kept is a pure function of the seed, the sample's entry number
 * and the element, hence the same on every rank and in every micro-batch: for layer {@code l},
 * {@code k} = 0 for keys and 1 for values, virtual token {@code p} and column {@code j} of a prefix
 * {@code [L, 2, P, H]}, with {@code n = p · H + j}, the element is kept if, as unsigned 32-bit
 * integers, {@code word >= round(rate · 2^32)} where
 *
 * <pre>
 * word    = Philox4x32-10(counter, key)[n mod 4]
 * counter = (n div 4, 2 · l + k, low half of entry, high half of entry)
 * key     = (low half of seed, high half of seed)
 * </pre>
 *
 * @param rate share of dropped elements, from 0 (no dropout at all) to below 1
 */
public record PrefixDropout(double rate, long seed) {
  public static final PrefixDropout NONE = new PrefixDropout(0, 0);

  public PrefixDropout {
    check(rate >= 0 && rate < 1, "dropout rate", rate, "must be at least 0 and below 1");
  }

  /**
   * Writes 1 for kept and 0 for dropped elements.
   *
   * @param mask handle of an FP32 tensor {@code [L, 2, P, H]}
   */
  public void writeMask(long entry, long mask) {
    NativeMethods.dropoutMask(rate, seed, entry, mask);
  }
}
