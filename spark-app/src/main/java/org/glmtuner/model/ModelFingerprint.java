package org.glmtuner.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Collection;
import java.util.HexFormat;
import org.glmtuner.storage.Digests;
import org.glmtuner.storage.Folder;

/**
 * A SHA-256 that tells one model from another without reading all of it: hashing 13.7 GB at every
 * start would take longer than the start.
 *
 * <p>It covers small files wholly, and of each weight file the name, the size, the first and the
 * last MiB and sixteen samples of 64 KiB spread evenly. The end of a torch archive holds the CRC-32
 * of every tensor, so any change of a tensor shows there; in a safetensors file a change shows only
 * if it reaches the parts that are read.
 */
final class ModelFingerprint {
  private static final int END_BYTES = 1 << 20;
  private static final int SAMPLE_BYTES = 1 << 16;
  private static final int SAMPLES = 16;

  private final MessageDigest digest = Digests.sha256();
  private final ByteBuffer buffer = ByteBuffer.allocate(END_BYTES);

  /** 64 hexadecimal digits. */
  static String of(Folder folder, Collection<String> small, Collection<String> weights)
      throws IOException {
    ModelFingerprint fingerprint = new ModelFingerprint();
    for (String name : small) {
      fingerprint.addName(name, folder.size(name));
      fingerprint.digest.update(folder.readAll(name, Integer.MAX_VALUE));
    }
    for (String name : weights) {
      fingerprint.addSampled(folder, name);
    }
    return HexFormat.of().formatHex(fingerprint.digest.digest());
  }

  private void addName(String name, long size) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    digest.update(
        ByteBuffer.allocate(Integer.BYTES + bytes.length + Long.BYTES)
            .putInt(bytes.length)
            .put(bytes)
            .putLong(size)
            .flip());
  }

  private void addSampled(Folder folder, String name) throws IOException {
    long size = folder.size(name);
    addName(name, size);
    try (SeekableByteChannel channel = folder.open(name)) {
      add(channel, 0, Math.min(END_BYTES, size));
      long last = Math.max(0, size - END_BYTES);
      for (int i = 1; i <= SAMPLES; i++) {
        long start = last / (SAMPLES + 1) * i;
        add(channel, start, Math.min(SAMPLE_BYTES, size - start));
      }
      add(channel, last, size - last);
    }
  }

  private void add(SeekableByteChannel channel, long start, long bytes) throws IOException {
    channel.position(start);
    Folder.readFully(channel, buffer.clear().limit((int) bytes));
    digest.update(buffer.flip());
  }
}
