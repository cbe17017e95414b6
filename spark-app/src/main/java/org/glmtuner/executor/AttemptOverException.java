package org.glmtuner.executor;

/**
 * Ends a task whose attempt is over for a reason that the driver knows already: another rank's
 * death, a cancellation.
 */
final class AttemptOverException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  AttemptOverException(String reason) {
    super(reason);
  }
}
