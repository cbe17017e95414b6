package org.glmtuner.storage;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Random;
import org.glmtuner.failure.TunerException;

/**
 * What a run does with its directory, done once with a small file: written, read back, renamed and
 * deleted. In seconds.
 */
public record RoundTrip(int bytes, double write, double read, double rename, double delete) {
  private static final int BYTES = 4 << 20;
  private static final double NANOS = 1e9;

  /**
   * Does it in {@code directory}, which must exist, and leaves nothing behind.
   *
   * @throws TunerException (exit code 6) where other bytes come back than were written
   */
  public static RoundTrip measure(Directory directory) throws IOException {
    String name = ".glm-tuner-doctor-" + RandomNames.next();
    String renamed = name + ".renamed";
    byte[] content = new byte[BYTES];
    new Random(name.hashCode()).nextBytes(content); // a file system may compress
    try {
      long start = System.nanoTime();
      try (OutputStream out = directory.write(name)) {
        out.write(content);
      }
      long written = System.nanoTime();
      byte[] found = directory.readAll(name, BYTES);
      long readBack = System.nanoTime();
      if (!Arrays.equals(content, found)) {
        throw TunerException.damaged(
            "Cannot trust "
                + directory.locate(name)
                + ": "
                + found.length
                + " bytes came back that differ from the "
                + content.length
                + " written");
      }
      directory.rename(name, renamed);
      long moved = System.nanoTime();
      directory.delete(renamed);
      long end = System.nanoTime();
      return new RoundTrip(
          BYTES,
          (written - start) / NANOS,
          (readBack - written) / NANOS,
          (moved - readBack) / NANOS,
          (end - moved) / NANOS);
    } catch (IOException | RuntimeException e) {
      for (String left : new String[] {name, renamed}) {
        try {
          directory.delete(left);
        } catch (IOException deleting) {
          e.addSuppressed(deleting);
        }
      }
      throw e;
    }
  }
}
