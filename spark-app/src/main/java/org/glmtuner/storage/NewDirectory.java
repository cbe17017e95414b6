package org.glmtuner.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.UUID;
import org.glmtuner.failure.TunerException;

/**
 * A directory in the making: it appears under its name, whole, when {@link #publish} is called. Its
 * files are written elsewhere beside it, and go when it is closed without having been published.
 */
public final class NewDirectory implements Closeable {
  private final Directory parent;
  private final String name;
  private final String temporary;
  private boolean published;

  private NewDirectory(Directory parent, String name) {
    this.parent = parent;
    this.name = name;
    this.temporary = "." + name + "." + UUID.randomUUID() + ".tmp";
  }

  /**
   * Starts a directory at a path that an argument of the command line gives.
   *
   * @throws TunerException (exit code 2) where there is something already
   */
  public static NewDirectory at(String argument) throws IOException {
    Directory target = Directory.ofArgument(argument);
    Directory parent =
        target
            .parent()
            .orElseThrow(() -> TunerException.invalid("Invalid path: " + argument + " (a root)"));
    if (parent.hasChild(target.name())) {
      throw TunerException.invalid(
          "Invalid path: " + argument + " (it exists, and nothing is overwritten)");
    }
    NewDirectory directory = new NewDirectory(parent, target.name());
    directory.files().create();
    return directory;
  }

  private Directory files() {
    return parent.child(temporary);
  }

  /** A new file, written from its start. */
  public WritableByteChannel create(String file) throws IOException {
    return Channels.newChannel(files().write(file));
  }

  /** A new small file. */
  public void write(String file, byte[] content) throws IOException {
    try (var out = files().write(file)) {
      out.write(content);
    }
  }

  /** Makes it appear; nothing may be written any more. */
  public void publish() throws IOException {
    parent.rename(temporary, name);
    published = true;
  }

  @Override
  public void close() throws IOException {
    if (!published) {
      parent.delete(temporary);
    }
  }
}
