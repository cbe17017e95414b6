package org.glmtuner.driver;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Names that nothing has had before: of drivers and attempts. */
final class RandomNames {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int BYTES = 6;

  private RandomNames() {}

  static String next() {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
