package org.glmtuner.executor;

import org.apache.spark.TaskContext;

/**
 * Tells a task that it must end. Spark sets the flag within a tenth of a second and interrupts
 * nobody, so everything that waits asks here.
 */
interface TaskSignal {
  boolean isCancelled();

  /** Throws where the task was cancelled. */
  default void check() {
    if (isCancelled()) {
      throw new AttemptOverException("Spark cancelled the task");
    }
  }

  static TaskSignal of(TaskContext context) {
    return context::isInterrupted;
  }
}
