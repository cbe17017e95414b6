package org.glmtuner.driver;

import org.glmtuner.metrics.StepRecord;

/** Where a command shows how far it is. */
public interface Progress extends AutoCloseable {
  /** A sentence. */
  void say(String sentence);

  /** Training starts or goes on: {@code done} of {@code steps} steps are done. */
  void start(long done, long steps);

  /** A step is done. */
  void step(long done);

  /** The record of the steps since the last one. */
  void record(StepRecord record);

  /** A job without steps starts: {@code count} of {@code items} are to be done. */
  void expect(String items, long count);

  /** So many more of them are done. */
  void done(long more);

  @Override
  void close();
}
