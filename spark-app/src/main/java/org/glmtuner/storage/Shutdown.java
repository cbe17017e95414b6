package org.glmtuner.storage;

import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;

/**
 * The order of things at the end of a JVM: Hadoop's file systems and Spark's session close in hooks
 * of Hadoop's manager.
 */
public final class Shutdown {
  /** Above Spark's 50 and 40 and the file systems' 10. */
  private static final int FIRST = 100;

  private static final long LIMIT_SECONDS = 30;

  private Shutdown() {}

  /** Runs {@code hook} before file systems are closed, for at most half a minute. */
  public static void first(Runnable hook) {
    ShutdownHookManager.get().addShutdownHook(hook, FIRST, LIMIT_SECONDS, TimeUnit.SECONDS);
  }
}
