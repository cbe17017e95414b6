package org.glmtuner.storage;

import java.io.Closeable;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.glmtuner.failure.TunerException;

/**
 * A file that a command line names and that appears, or replaces an older one, when it is complete;
 * until then its bytes are in a hidden file beside it. Without {@link #commit} nothing has changed.
 */
public final class NewFile implements Closeable {
  /** Makes a draft final, or throws it away. */
  private interface Place {
    void move() throws IOException;

    void discard() throws IOException;
  }

  private final String file;
  private final OutputStream out;
  private final Place place;
  private boolean open = true;

  private NewFile(String file, OutputStream out, Place place) {
    this.file = file;
    this.out = out;
    this.place = place;
  }

  /**
   * Begins a file; its directory is made where it is missing.
   *
   * @param file a local path or a Hadoop URI
   * @throws TunerException (exit code 2) where it cannot be written
   */
  public static NewFile begin(String file) {
    try {
      return TextFile.isLocal(file)
          ? local(file, java.nio.file.Path.of(file).toAbsolutePath())
          : remote(file, new Path(file));
    } catch (IOException e) {
      throw FileFailures.explain("write " + file, e);
    }
  }

  private static NewFile local(String file, java.nio.file.Path target) throws IOException {
    Files.createDirectories(target.getParent());
    if (Files.exists(target) && !Files.isRegularFile(target)) { // a pipe, a device
      OutputStream direct = Files.newOutputStream(target);
      return new NewFile(file, direct, new Direct());
    }
    java.nio.file.Path draft = target.resolveSibling("." + target.getFileName() + ".tmp");
    OutputStream out = Files.newOutputStream(draft);
    return new NewFile(
        file,
        out,
        new Place() {
          @Override
          public void move() throws IOException {
            Files.move(
                draft, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
          }

          @Override
          public void discard() throws IOException {
            Files.deleteIfExists(draft);
          }
        });
  }

  private static NewFile remote(String file, Path target) throws IOException {
    Configuration configuration = HadoopSettings.ofThisProcess();
    FileSystem fileSystem = target.getFileSystem(configuration);
    Path draft = new Path(target.getParent(), "." + target.getName() + ".tmp");
    OutputStream out = fileSystem.create(draft, true);
    return new NewFile(
        file,
        out,
        new Place() {
          @Override
          public void move() throws IOException {
            FileContext.getFileContext(fileSystem.getUri(), configuration)
                .rename(
                    fileSystem.makeQualified(draft),
                    fileSystem.makeQualified(target),
                    Options.Rename.OVERWRITE);
          }

          @Override
          public void discard() throws IOException {
            fileSystem.delete(draft, false);
          }
        });
  }

  /** Written as it comes. */
  private static final class Direct implements Place {
    @Override
    public void move() {
      // it is there already
    }

    @Override
    public void discard() {
      // what was written was read
    }
  }

  /** Where its bytes go; closing this closes nothing. */
  public OutputStream stream() {
    return new FilterOutputStream(out) {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        out.write(bytes, offset, length);
      }

      @Override
      public void close() throws IOException {
        flush();
      }
    };
  }

  /**
   * The file is complete.
   *
   * @throws TunerException where it cannot be put in its place
   */
  public void commit() {
    try {
      open = false;
      out.close();
      place.move();
    } catch (IOException e) {
      throw FileFailures.explain("write " + file, e);
    }
  }

  @Override
  public void close() throws IOException {
    if (open) {
      open = false;
      out.close();
      place.discard();
    }
  }
}
