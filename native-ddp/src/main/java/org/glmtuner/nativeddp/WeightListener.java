package org.glmtuner.nativeddp;

/**
 * Hears how the bytes of a weight file come into memory, which takes minutes from a slow disk.
 * Called by the thread that opens the file.
 */
public interface WeightListener {
  /** Hears nothing. */
  WeightListener NONE = bytes -> {};

  /** So many more bytes have been read. A file that is only mapped is not read yet. */
  void read(long bytes);

  /**
   * Another process makes the copy that this one is to share.
   *
   * @param waits whether this process waits for it from now on, or no longer
   */
  default void waiting(boolean waits) {}
}
