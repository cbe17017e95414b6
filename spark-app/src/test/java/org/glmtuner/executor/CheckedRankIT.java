package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import org.glmtuner.OwnCache;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.RankHost.Purpose;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.wire.Frame;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a rank process. */
class CheckedRankIT {
  @TempDir Path directory;

  @Test
  void onlyTheTimeOfAnAnswerIsLimitedAndItsSubjectNamed() throws Exception {
    TunerConfig config = ConfigLoader.load("", "", OwnCache.settings(directory));
    DoctorPlan plan = new DoctorPlan("test", config, null, 0, 1, null, "");
    Duration shorterThanAStart = Duration.ofMillis(1);
    try (CheckedRank rank =
        CheckedRank.open(plan, Purpose.SERVER, TaskSignal.NEVER, shorterThanAStart)) {
      assertThatThrownBy(
              () -> rank.ask(new Frame.Calibrate(1, config.engine().isa()), "load libraries"))
          .isInstanceOfSatisfying(
              TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
          .hasMessage(
              "Cannot load libraries: the rank (process "
                  + rank.host().session().pid()
                  + ") has no answer after 0.001 s");
    }
  }
}
