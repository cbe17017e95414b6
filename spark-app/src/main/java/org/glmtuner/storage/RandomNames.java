package org.glmtuner.storage;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Names that nothing has had before: of drivers, attempts and their directories. */
public final class RandomNames {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int BYTES = 6;

  private RandomNames() {}

  /** Twelve hexadecimal digits. */
  public static String next() {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
