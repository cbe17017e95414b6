package org.glmtuner.executor;

import org.apache.spark.TaskContext;

/**
 * Tells a task that it must end. Spark sets the flag within a tenth of a second and interrupts
 * nobody, so everything that waits asks here.
 */
interface TaskSignal {
  /** Throws where the task was cancelled. */
  void check();

  static TaskSignal of(TaskContext context) {
    return () -> {
      if (context.isInterrupted()) {
        throw new AttemptOverException("Spark cancelled the task");
      }
    };
  }
}
