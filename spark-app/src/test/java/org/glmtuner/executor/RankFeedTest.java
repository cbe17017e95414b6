package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.glmtuner.data.Sample;
import org.glmtuner.executor.AttemptPlan.Steps;
import org.glmtuner.wire.Frame;
import org.junit.jupiter.api.Test;
import scala.Tuple2;

class RankFeedTest {
  private static Tuple2<RowKey, Sample> row(long step, long index) {
    return new Tuple2<>(new RowKey(0, step, index), SAMPLE);
  }

  private static final Sample SAMPLE =
      new Sample(7, new int[] {1, 2, 5, 6}, new int[] {-100, -100, 5, 6}, 2, 1);

  private static List<Frame> frames(List<Tuple2<RowKey, Sample>> rows, Steps steps) {
    RankFeed feed = new RankFeed(rows.iterator(), steps);
    List<Frame> frames = new ArrayList<>();
    while (feed.hasNext()) {
      frames.add(feed.next());
    }
    return frames;
  }

  @Test
  void everyStepHasAFrameWhetherItHasSamplesHereOrNot() {
    List<Frame> frames = frames(List.of(row(3, 12), row(3, 14), row(5, 20)), new Steps(3, 6, 4, 2));
    assertThat(frames).hasSize(4);
    assertThat(frames.get(0))
        .isInstanceOfSatisfying(
            Frame.Step.class,
            step -> {
              assertThat(step.step()).isEqualTo(3);
              assertThat(step.samples()).isEqualTo(4);
              assertThat(step.entries()).extracting("index").containsExactly(12L, 14L);
            });
    assertThat(frames.get(1)).isEqualTo(new Frame.Step(4, 4, List.of()));
    assertThat(frames.get(2))
        .isInstanceOfSatisfying(Frame.Step.class, step -> assertThat(step.samples()).isEqualTo(2));
    assertThat(frames.get(3)).isEqualTo(new Frame.End());
  }

  @Test
  void validationRowsComeFirstInPieces() {
    List<Tuple2<RowKey, Sample>> rows = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      rows.add(row(RowKey.VALIDATION, i));
    }
    List<Frame> frames = frames(rows, new Steps(0, 0, 4, 4));
    assertThat(frames).hasSize(3);
    assertThat(((Frame.ValidationRows) frames.get(0)).samples()).hasSize(256);
    assertThat(((Frame.ValidationRows) frames.get(1)).samples()).hasSize(44);
  }
}
