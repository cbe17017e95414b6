package org.glmtuner.nativeddp;

import java.nio.file.Path;

/** Loads the native code of this package, once per JVM. */
public final class NativeLibrary {
  /** Where the library lies on the class path. */
  public static final String RESOURCE = "native/linux-x86_64/libnative_ddp.so";

  private static Path loaded;

  private NativeLibrary() {}

  /**
   * Loads the library from a file; again from the same file does nothing. DJL's PyTorch engine must
   * have been loaded before, for it brings the libtorch that this library uses.
   *
   * @throws IllegalStateException if the file cannot be loaded, or another one has been
   */
  public static synchronized void load(Path library) {
    Path absolute = library.toAbsolutePath().normalize();
    if (absolute.equals(loaded)) {
      return;
    }
    if (loaded != null) {
      throw new IllegalStateException(
          "Cannot load " + absolute + ": this JVM has loaded " + loaded);
    }
    try {
      System.load(absolute.toString());
    } catch (UnsatisfiedLinkError e) {
      throw new IllegalStateException(
          "Cannot load "
              + absolute
              + ": "
              + e.getMessage()
              + " (DJL's PyTorch engine must be loaded first)",
          e);
    }
    loaded = absolute;
  }
}
