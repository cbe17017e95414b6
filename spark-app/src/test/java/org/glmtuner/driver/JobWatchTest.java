package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@SuppressWarnings("try") // monitor and watch are held, not used
class JobWatchTest {
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private static AttemptMonitor monitor() {
    return AttemptMonitor.open("stalled", 1, PATIENCE, message -> {});
  }

  private static JavaSparkContext oneSlot() {
    return new JavaSparkContext(
        new SparkConf().setMaster("local[1]").setAppName("stall").set("spark.ui.enabled", "false"));
  }

  @Test
  void anAttemptThatGetsNoSlotFailsInsteadOfWaitingForEver() throws Exception {
    try (JavaSparkContext spark = oneSlot();
        AttemptMonitor monitor = monitor()) {
      JavaFutureAction<List<Integer>> other =
          spark.parallelize(List.of(1), 1).map(JobWatchTest::sleep).collectAsync();
      try (JobWatch watch = JobWatch.start(spark.sc(), "stalled", PATIENCE, monitor)) {
        assertThatThrownBy(() -> spark.parallelize(List.of(2), 1).collect())
            .hasMessageContaining("cancelled");
      }
      other.cancel(true);
      assertThat(monitor.failure())
          .hasValueSatisfying(
              failure -> {
                assertThat(failure.exitCode()).isEqualTo(ExitCode.NO_FREE_SLOTS);
                assertThat(failure).hasMessageContaining("could start within 2 s");
              });
    }
  }

  @Test
  void anAttemptThatRunsIsLeftAlone() {
    try (JavaSparkContext spark = oneSlot();
        AttemptMonitor monitor = monitor()) {
      spark.parallelize(List.of(1), 1).collect(); // a context's first job takes its time
      try (JobWatch watch = JobWatch.start(spark.sc(), "stalled", PATIENCE, monitor)) {
        assertThat(spark.parallelize(List.of(4), 1).map(JobWatchTest::sleepBriefly).collect())
            .containsExactly(4);
      }
      assertThat(monitor.failure()).isEmpty();
    }
  }

  @Test
  void anAttemptThatHasFailedIsCancelled() {
    try (JavaSparkContext spark = oneSlot();
        AttemptMonitor monitor = monitor()) {
      monitor.fail(TunerException.damaged("Cannot read it"));
      try (JobWatch watch = JobWatch.start(spark.sc(), "stalled", PATIENCE, monitor)) {
        assertThatThrownBy(
                () -> spark.parallelize(List.of(1), 1).map(JobWatchTest::sleep).collect())
            .hasMessageContaining("cancelled");
      }
      assertThat(monitor.failure())
          .hasValueSatisfying(f -> assertThat(f).hasMessage("Cannot read it"));
    }
  }

  private static int sleep(int value) throws InterruptedException {
    Thread.sleep(Duration.ofMinutes(1).toMillis());
    return value;
  }

  private static int sleepBriefly(int value) throws InterruptedException {
    Thread.sleep(2 * PATIENCE.toMillis());
    return value;
  }
}
