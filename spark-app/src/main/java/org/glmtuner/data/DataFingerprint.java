package org.glmtuner.data;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import org.glmtuner.storage.Digests;

/**
 * Tells one data set from another. Fingerprints of parts add up to that of the whole in any order,
 * so that many tasks may compute it; a sample counts with its id, so that the order of the data set
 * counts.
 *
 * @param samples their number
 * @param sum of a 64-bit hash per sample, modulo 2^64
 */
public record DataFingerprint(long samples, long sum) implements Serializable {

  /** Of no samples. */
  public static final DataFingerprint EMPTY = new DataFingerprint(0, 0);

  /** Of one sample: the first eight bytes of the SHA-256 of its id, tokens and labels. */
  public static DataFingerprint of(Sample sample) {
    int length = sample.length();
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + Integer.BYTES * (1 + 2 * length));
    bytes.putLong(sample.id()).putInt(length);
    Arrays.stream(sample.inputIds()).forEach(bytes::putInt);
    Arrays.stream(sample.labels()).forEach(bytes::putInt);
    return new DataFingerprint(
        1, ByteBuffer.wrap(Digests.sha256().digest(bytes.array())).getLong());
  }

  /** Of both, if they have no sample in common. */
  public DataFingerprint plus(DataFingerprint other) {
    return new DataFingerprint(samples + other.samples, sum + other.sum);
  }

  /** The number of samples and 16 hexadecimal digits. */
  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%d-%016x", samples, sum);
  }
}
