package org.glmtuner.nativeddp;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongConsumer;
import java.util.function.LongFunction;

/**
 * The address of a native object, owned by one Java object. Uses may overlap; closing waits for
 * them. An owner that is forgotten without being closed is reported to the log: its memory is not
 * freed, as nobody knows on which thread, and whether other ranks wait for it.
 */
final class NativeHandle implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(NativeHandle.class.getName());
  private static final Cleaner CLEANER = Cleaner.create();

  private final String what;
  private final LongConsumer release;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final long address;

  /**
   * @param owner whose end without {@link #close} is reported
   * @param what the object in messages, as "transformer FILE"
   */
  NativeHandle(Object owner, String what, long address, LongConsumer release) {
    this.what = what;
    this.address = address;
    this.release = release;
    CLEANER.register(owner, leakReport(what, closed));
  }

  /** Static, so that it does not keep the owner alive. */
  static Runnable leakReport(String what, AtomicBoolean closed) {
    return () -> {
      if (!closed.get()) {
        LOGGER.log(System.Logger.Level.WARNING, "The {0} was not closed", what);
      }
    };
  }

  /** Throws {@link IllegalStateException} once closed. */
  <T> T with(LongFunction<T> use) {
    lock.readLock().lock();
    try {
      if (closed.get()) {
        throw new IllegalStateException("Cannot use the " + what + ": it is closed");
      }
      return use.apply(address);
    } finally {
      lock.readLock().unlock();
    }
  }

  /** As {@link #with}, for uses without a result. */
  void run(LongConsumer use) {
    with(
        known -> {
          use.accept(known);
          return null;
        });
  }

  /** Releases the native object; the second time does nothing. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (closed.compareAndSet(false, true)) {
        release.accept(address);
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
