package org.glmtuner.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.glmtuner.failure.TunerException;

/**
 * Small texts that a command line names: without a scheme a path is local, whatever Hadoop's
 * default file system is.
 */
public final class TextFile {
  private TextFile() {}

  /**
   * The whole file, in UTF-8.
   *
   * @throws TunerException (exit code 2) where there is none
   */
  public static String read(String file) throws IOException {
    try {
      if (isLocal(file)) {
        return Files.readString(java.nio.file.Path.of(file));
      }
      Path path = new Path(file);
      try (InputStream in = path.getFileSystem(new Configuration()).open(path)) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
    } catch (NoSuchFileException e) {
      throw TunerException.invalid("Cannot read " + file + ": there is no such file");
    } catch (IOException e) {
      throw FileFailures.explain("read " + file, e);
    }
  }

  /** Opens a file for writing, replacing an older one. */
  public static OutputStream write(String file) throws IOException {
    if (isLocal(file)) {
      return Files.newOutputStream(java.nio.file.Path.of(file));
    }
    Path path = new Path(file);
    return path.getFileSystem(new Configuration()).create(path, true);
  }

  private static boolean isLocal(String file) {
    return !file.matches("[A-Za-z][A-Za-z0-9+.-]*:.*");
  }
}
