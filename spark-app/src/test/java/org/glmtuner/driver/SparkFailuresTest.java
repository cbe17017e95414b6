package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.spark.SparkException;
import org.glmtuner.executor.TaskMessage.Member;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class SparkFailuresTest {
  @Test
  void aLostExecutorIsNamedWithItsRanks() {
    SparkException lost =
        new SparkException(
            "Job aborted due to stage failure: Could not recover from a failed barrier ResultStage. Most recent failure reason: Stage failed because barrier task ResultTask(3, 1) finished unsuccessfully.\nExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: Command exited with code 137\nDriver stacktrace:");
    TunerException failure =
        SparkFailures.explain(
            "train", lost, List.of(new Member(0, "a", "0"), new Member(1, "b", "1")));
    assertThat(failure)
        .hasMessage(
            "Cannot train: executor 1 was lost with rank 1 on b: Command exited with code 137");
    assertThat(failure.exitCode()).isEqualTo(ExitCode.TRAINING_FAILED);
  }

  @Test
  void anExceptionOfOursInsideIsFound() {
    SparkException failure =
        new SparkException(
            "Lost task 0.0 in stage 1.0 (TID 1) (host executor 0): TunerException[DAMAGED]: Cannot read x: y\n\tat org.glmtuner.X");
    assertThat(SparkFailures.explain("train", failure).exitCode()).isEqualTo(ExitCode.DAMAGED);
    assertThat(SparkFailures.explain("train", failure)).hasMessage("Cannot read x: y");
  }
}
