package org.glmtuner.model;

import java.nio.file.Path;

/** Hears how a weight file is provided; called by the providing thread. */
public interface ProgressListener {

  /** Hears nothing. */
  ProgressListener NONE = (done, total) -> {};

  /** Some more of the file was written; the last call has {@code done == total}. */
  void written(long done, long total);

  /** So many more bytes of the source were read to check them, before anything is written. */
  default void read(long bytes) {}

  /** Another process or thread of this host is making the file; this one waits for it. */
  default void waiting(Path file) {}

  /** The file is there but cannot be used, for the reason given, and is made anew. */
  default void replacing(Path file, String reason) {}
}
