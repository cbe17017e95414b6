package org.glmtuner.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.LongConsumer;

/** SHA-256, which every Java platform has. */
public final class Digests {
  private static final int PIECE_BYTES = 1 << 20;

  private Digests() {}

  public static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Cannot compute SHA-256", e);
    }
  }

  /**
   * The digest of a file in hexadecimal.
   *
   * @param progress hears of each piece how many bytes it had
   */
  public static String hex(Folder folder, String name, LongConsumer progress) throws IOException {
    MessageDigest digest = sha256();
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
    try (SeekableByteChannel channel = folder.open(name)) {
      while (channel.read(piece.clear()) >= 0) {
        digest.update(piece.flip());
        progress.accept(piece.limit());
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The digest of {@code bytes} in hexadecimal. */
  public static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(sha256().digest(bytes));
  }
}
