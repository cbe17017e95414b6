package org.glmtuner.metrics;

import org.glmtuner.wire.StepReport;

/** Gathers the steps of one {@link StepRecord}. */
public final class StepWindow {
  private final long samplesPerEpoch;
  private final int worldSize;
  private final String attempt;
  private StepReport last;
  private int steps;
  private int skipped;
  private double loss;
  private long samples;
  private long tokens;
  private double seconds;
  private double allReduceSeconds;
  private double waitingSeconds;

  public StepWindow(long samplesPerEpoch, int worldSize, String attempt) {
    this.samplesPerEpoch = samplesPerEpoch;
    this.worldSize = worldSize;
    this.attempt = attempt;
  }

  public void add(StepReport report) {
    last = report;
    steps++;
    skipped += report.applied() ? 0 : 1;
    loss += report.loss();
    samples += report.samples();
    tokens += report.tokens();
    seconds += report.times().total();
    allReduceSeconds += report.times().allReduce();
    waitingSeconds += report.times().waiting();
  }

  public boolean isEmpty() {
    return steps == 0;
  }

  /**
   * The record of the steps since the last call; at least one must have been added.
   *
   * @param entriesDone samples used over the whole run
   */
  public StepRecord take(long entriesDone) {
    StepRecord record =
        new StepRecord(
            last.step() + 1,
            (double) entriesDone / samplesPerEpoch,
            loss / steps,
            last.gradientNorm(),
            last.learningRate(),
            samples,
            tokens,
            seconds / steps,
            tokens / seconds,
            allReduceSeconds / steps,
            waitingSeconds / steps,
            worldSize,
            attempt,
            skipped);
    steps = 0;
    skipped = 0;
    loss = 0;
    samples = 0;
    tokens = 0;
    seconds = 0;
    allReduceSeconds = 0;
    waitingSeconds = 0;
    return record;
  }
}
