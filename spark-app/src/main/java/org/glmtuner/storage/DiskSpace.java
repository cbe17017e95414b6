package org.glmtuner.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/** Room on local file systems. */
public final class DiskSpace {
  private DiskSpace() {}

  /** Bytes that this user can still write where a file is to be, whose directory may be missing. */
  public static long free(Path file) {
    Path directory = file.toAbsolutePath();
    while (!Files.isDirectory(directory)) {
      directory = directory.getParent();
    }
    // Files.getFileStore looks the mount point up in /proc/mounts, where a chroot has none.
    return directory.toFile().getUsableSpace();
  }

  /**
   * Refuses to begin what cannot be ended.
   *
   * @throws TunerException (exit code 3) with the numbers where there is less room than {@code
   *     needed} bytes
   */
  public static void require(Path file, long needed) {
    long free = free(file);
    if (free < needed) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          String.format(
              Locale.ROOT,
              "Cannot write %s: it needs %d bytes, its file system has %d free",
              file,
              needed,
              free));
    }
  }

  /**
   * Says of a failed write that the file system became full meanwhile, if that is why; otherwise
   * does nothing.
   *
   * @param needed bytes of all that was to be written
   * @throws TunerException (exit code 3) with the numbers
   */
  public static void explain(Path file, long needed, IOException failure) {
    String message = String.valueOf(failure.getMessage()); // Java has no type for ENOSPC and EDQUOT
    if (message.contains("No space left on device") || message.contains("Disk quota exceeded")) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          String.format(
              Locale.ROOT,
              "Cannot write %s: it needs %d bytes, its file system, with %d free, became full meanwhile",
              file,
              needed,
              free(file)),
          failure);
    }
  }
}
