package org.glmtuner.executor;

import org.apache.spark.TaskContext;

/**
 * Tells what waits that it must end. Spark sets a task's flag within a tenth of a second and
 * interrupts nobody, nor does a signal to the JVM, so everything that waits asks here. For any
 * thread.
 */
public interface TaskSignal {
  /** Never tells so: for what ends with its process. */
  TaskSignal NEVER = () -> false;

  boolean isCancelled();

  /** Throws an unchecked exception where it must end. */
  default void check() {
    if (isCancelled()) {
      throw new AttemptOverException("Spark cancelled the task");
    }
  }

  /** Of a task of Spark. */
  static TaskSignal of(TaskContext context) {
    return context::isInterrupted;
  }
}
