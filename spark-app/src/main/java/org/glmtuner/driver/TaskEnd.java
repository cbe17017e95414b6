package org.glmtuner.driver;

import org.apache.spark.TaskContext;
import org.apache.spark.util.TaskCompletionListener;

/** The end of the task that this thread runs, however it comes. */
final class TaskEnd {
  private TaskEnd() {}

  /** {@code resource}, which is closed then: rows that are read one by one may need it until. */
  static <T extends AutoCloseable> T close(T resource) {
    TaskCompletionListener listener =
        context -> {
          try {
            resource.close();
          } catch (Exception e) { // close() may throw any
            throw new IllegalStateException("Cannot close " + resource + ": " + e.getMessage(), e);
          }
        };
    TaskContext.get().addTaskCompletionListener(listener);
    return resource;
  }
}
