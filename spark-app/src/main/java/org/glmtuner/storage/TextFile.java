package org.glmtuner.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
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
   * @throws TunerException (exit code 2) where there is none, or it is not UTF-8
   */
  public static String read(String file) {
    try (InputStream in = open(file)) {
      ByteBuffer bytes = ByteBuffer.wrap(in.readAllBytes());
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw TunerException.invalid("Cannot read " + file + ": it is not UTF-8");
    } catch (IOException e) {
      throw FileFailures.explain("read " + file, e);
    }
  }

  /**
   * Opens a file for reading.
   *
   * @throws TunerException (exit code 2) where there is none, or it cannot be opened
   */
  public static InputStream open(String file) {
    try {
      if (!isLocal(file)) {
        Path path = new Path(file);
        return path.getFileSystem(HadoopSettings.ofThisProcess()).open(path);
      }
      java.nio.file.Path path = java.nio.file.Path.of(file);
      if (Files.isDirectory(path)) {
        throw TunerException.invalid("Cannot read " + file + ": it is a directory");
      }
      return Files.newInputStream(path);
    } catch (FileNotFoundException | NoSuchFileException e) {
      throw TunerException.invalid("Cannot read " + file + ": there is no such file");
    } catch (UnsupportedFileSystemException e) {
      throw TunerException.invalid("Cannot read " + file + ": " + e.getMessage());
    } catch (IOException e) {
      throw FileFailures.explain("read " + file, e);
    }
  }

  /** Whether {@code file} is no URI; a name may hold a colon, as a time of day does. */
  static boolean isLocal(String file) {
    return !file.matches("[A-Za-z][A-Za-z0-9+.-]*:/.*");
  }
}
