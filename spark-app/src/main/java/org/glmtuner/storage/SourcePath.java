package org.glmtuner.storage;

import java.io.IOException;
import java.util.Optional;
import org.glmtuner.failure.TunerException;

/**
 * What an argument of the command line names to read from: a directory, or a file in one.
 *
 * @param file the name of the file in the directory; empty for the directory itself
 */
public record SourcePath(Directory directory, Optional<String> file) {

  /**
   * Finds out which of the two an argument of the command line names; see {@link
   * Directory#ofArgument}.
   *
   * @throws TunerException (exit code 6) where there is nothing at all
   */
  public static SourcePath find(String argument) throws IOException {
    return of(Directory.ofArgument(argument));
  }

  /** As {@link #find}, for what may be a directory or a file in spite of its type. */
  public static SourcePath of(Directory named) throws IOException {
    Optional<Directory> parent = named.parent();
    if (parent.isPresent() && parent.get().contains(named.name())) {
      return new SourcePath(parent.get(), Optional.of(named.name()));
    }
    if (!named.exists()) {
      throw TunerException.damaged(
          "Cannot read " + named.location() + ": there is no such file or directory");
    }
    return new SourcePath(named, Optional.empty());
  }

  /** The directory, read in the fastest way there is. */
  public Folder folder() {
    return directory.reader();
  }

  /** As messages show it. */
  public String location() {
    return file.map(folder()::locate).orElseGet(folder()::location);
  }
}
