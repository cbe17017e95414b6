package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.Frame.Phase;
import org.junit.jupiter.api.Test;

class WatchTest {
  private final AtomicLong now = new AtomicLong();
  private final Watch watch = new Watch(Duration.ofSeconds(10), now::get);

  private void pass(int seconds) {
    now.addAndGet(Duration.ofSeconds(seconds).toNanos());
  }

  @Test
  void silenceIsAHang() {
    pass(10);
    assertThat(watch.silence()).isNull();
    pass(1);
    assertThat(watch.silence()).isEqualTo("no sign of life for 11 s at step 1");
  }

  @Test
  void computingWithoutProgressIsAHangDespiteSignsOfLife() {
    for (int i = 0; i < 3; i++) {
      watch.heard(new Frame.Alive(Phase.COMPUTING, 4, 100));
      pass(5);
    }
    assertThat(watch.silence()).isEqualTo("no progress for 15 s while computing step 5");
    watch.heard(new Frame.Alive(Phase.COMPUTING, 4, 101));
    assertThat(watch.silence()).isNull();
  }

  @Test
  void startingMayTakeLongerButNotForEver() {
    signsOfLife(Phase.STARTING, 80);
    assertThat(watch.silence()).isNull();
    signsOfLife(Phase.STARTING, 10);
    assertThat(watch.silence())
        .isEqualTo("no progress for 90 s while starting or reading the weights, before step 1");
  }

  @Test
  void weightsFromASlowDiskAreNoHangAsLongAsTheyCome() {
    for (int i = 0; i < 20; i++) {
      watch.heard(new Frame.Alive(Phase.STARTING, 0, i));
      pass(9);
      watch.heard(new Frame.Alive(Phase.STARTING, 0, i));
      pass(9);
      assertThat(watch.silence()).isNull();
    }
    signsOfLife(Phase.STARTING, 90);
    assertThat(watch.silence()).isNotNull();
  }

  @Test
  void waitingForWeightsThatAnotherRankReadsIsNoHangEither() {
    signsOfLife(Phase.WAITING_FOR_WEIGHTS, 900);
    assertThat(watch.silence()).isNull();
    assertThat(watch.state()).isEqualTo(new Watch.State(Phase.WAITING_FOR_WEIGHTS, 0, 900));
  }

  @Test
  void soMayWriting() {
    signsOfLife(Phase.WRITING, 400);
    assertThat(watch.silence()).isNull();
    signsOfLife(Phase.WRITING, 10);
    assertThat(watch.silence())
        .isEqualTo("no progress for 410 s while writing a checkpoint, before step 1");
  }

  @Test
  void soMayTheProductsOfAProjectedPrefix() {
    watch.heard(new Frame.Alive(Phase.COMPUTING, 0, 0));
    signsOfLife(Phase.ENCODING_PREFIX, 400);
    assertThat(watch.silence()).isNull();
    signsOfLife(Phase.ENCODING_PREFIX, 10);
    assertThat(watch.silence())
        .isEqualTo("no progress for 410 s while encoding the prefix in step 1");
    watch.heard(new Frame.Alive(Phase.COMPUTING, 0, 0));
    assertThat(watch.silence()).isNull();
    signsOfLife(Phase.COMPUTING, 15);
    assertThat(watch.silence()).isEqualTo("no progress for 15 s while computing step 1");
  }

  private void signsOfLife(Phase phase, int seconds) {
    for (int i = 0; i < seconds; i += 5) {
      watch.heard(new Frame.Alive(phase, 0, 0));
      pass(5);
    }
  }

  @Test
  void waitingForOthersIsNot() {
    for (int i = 0; i < 100; i++) {
      watch.heard(new Frame.Alive(Phase.IN_COLLECTIVE, 4, 100));
      pass(5);
    }
    assertThat(watch.silence()).isNull();
    assertThat(watch.state()).isEqualTo(new Watch.State(Phase.IN_COLLECTIVE, 4, 500));
  }
}
