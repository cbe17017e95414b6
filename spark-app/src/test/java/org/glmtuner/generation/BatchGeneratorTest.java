package org.glmtuner.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.glmtuner.config.GenerationConfig.Sampling;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;

class BatchGeneratorTest {
  private static final int VOCABULARY = 50;
  private static final int EOP = 49;
  private static final Sampling GREEDY = new Sampling(false, 1, 0, 1, 1, 42);
  private static final Sampling DRAWN = new Sampling(true, 0.9, 20, 0.9, 1.2, 42);

  /** Logits are a function of the sequence alone; notes what ran together. */
  private static class HashedModel implements SequenceModel {
    final Map<Integer, List<Integer>> sequences = new TreeMap<>();
    final Map<Integer, Integer> waiting = new TreeMap<>();
    final List<Integer> batches = new ArrayList<>();
    final List<Integer> rows = new ArrayList<>();

    @Override
    public int vocabulary() {
      return VOCABULARY;
    }

    @Override
    public void begin(int index, int[] prompt, int most) {
      sequences.put(index, new ArrayList<>(IntStream.of(prompt).boxed().toList()));
      waiting.put(index, prompt.length);
    }

    @Override
    public void append(int index, int token) {
      sequences.get(index).add(token);
      waiting.merge(index, 1, Integer::sum);
    }

    @Override
    public void run(int[] indices, float[] logits) {
      assertThat(IntStream.of(indices).distinct().count()).isEqualTo(indices.length);
      batches.add(indices.length);
      rows.add(IntStream.of(indices).map(waiting::remove).sum());
      for (int row = 0; row < indices.length; row++) {
        Random random = new Random(sequences.get(indices[row]).hashCode());
        for (int id = 0; id < VOCABULARY; id++) {
          logits[row * VOCABULARY + id] = 5 * random.nextFloat();
        }
        logits[row * VOCABULARY + EOP] += random.nextInt(6) == 0 ? 9 : 0;
      }
    }
  }

  private static List<Prompt> prompts(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new Prompt(i, IntStream.rangeClosed(0, i % 5 + 1).map(j -> i + j).toArray()))
        .toList();
  }

  private static List<List<Integer>> complete(
      HashedModel model, Sampling sampling, int batch, int rows, List<Prompt> prompts) {
    return new BatchGenerator(model, EOP, new Decoding(sampling, 12, batch, rows))
        .complete(prompts).stream().map(ids -> Arrays.stream(ids).boxed().toList()).toList();
  }

  @Test
  void completionsDoNotDependOnTheBatch() {
    for (Sampling sampling : List.of(GREEDY, DRAWN)) {
      List<List<Integer>> alone = complete(new HashedModel(), sampling, 1, 1024, prompts(20));
      assertThat(complete(new HashedModel(), sampling, 3, 1024, prompts(20))).isEqualTo(alone);
      assertThat(complete(new HashedModel(), sampling, 64, 1024, prompts(20))).isEqualTo(alone);
      assertThat(complete(new HashedModel(), sampling, 64, 7, prompts(20))).isEqualTo(alone);
      assertThat(complete(new HashedModel(), sampling, 4, 1024, prompts(20).subList(13, 20)))
          .isEqualTo(alone.subList(13, 20));
      assertThat(alone).anySatisfy(ids -> assertThat(ids).hasSizeLessThan(12)); // met eop
      assertThat(alone).anySatisfy(ids -> assertThat(ids).hasSize(12));
      assertThat(alone).allSatisfy(ids -> assertThat(ids).doesNotContain(EOP));
    }
  }

  @Test
  void anEndedSequenceMakesRoomForTheNextPrompt() {
    HashedModel model = new HashedModel();
    List<List<Integer>> all = complete(model, DRAWN, 3, 1024, prompts(20));
    int steps = all.stream().mapToInt(ids -> Math.min(12, ids.size() + 1)).sum();
    assertThat(model.batches.stream().mapToInt(Integer::intValue).sum()).isEqualTo(steps);
    assertThat(model.batches).startsWith(3).allMatch(size -> size <= 3);
    assertThat(model.batches.subList(0, steps / 3 - 12)).allMatch(size -> size == 3);
    assertThat(model.sequences.keySet()).containsExactly(0, 1, 2);
  }

  @Test
  void promptsWaitUntilAStepHasRoomForTheirRows() {
    HashedModel model = new HashedModel();
    List<Prompt> prompts =
        IntStream.range(0, 4)
            .mapToObj(i -> new Prompt(i, new int[] {i, 1, 2, 3, 4, 5, 6}))
            .toList();
    complete(model, GREEDY, 8, 10, prompts);
    assertThat(model.rows).startsWith(7, 8, 9).allMatch(count -> count <= 10);
    HashedModel narrow = new HashedModel();
    complete(narrow, GREEDY, 8, 5, prompts); // a prompt longer than the limit goes alone
    assertThat(narrow.rows).allMatch(count -> count == 1 || count == 7);
  }

  @Test
  void logitsThatAreNotFiniteNameThePrompt() {
    HashedModel model =
        new HashedModel() {
          @Override
          public void run(int[] indices, float[] logits) {
            super.run(indices, logits);
            for (int row = 0; row < indices.length; row++) {
              if (sequences.get(indices[row]).get(0) == 6) {
                logits[row * VOCABULARY + 8] = Float.NaN;
              }
            }
          }
        };
    assertThatThrownBy(() -> complete(model, GREEDY, 4, 1024, prompts(20)))
        .isInstanceOf(TunerException.class)
        .hasMessage("Cannot complete prompt 7: the logit of token 8 is NaN after 0 new tokens");
  }

  @Test
  void noPromptsHaveNoCompletions() {
    assertThat(complete(new HashedModel(), GREEDY, 4, 1024, List.of())).isEmpty();
  }
}
