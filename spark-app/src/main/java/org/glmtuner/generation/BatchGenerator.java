package org.glmtuner.generation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.failure.TunerException;

/**
 * Completes prompts, several at a time: as soon as one ends, the next takes its place. What a
 * prompt becomes does not depend on its neighbours, up to the rounding of products of other shapes.
 * For one thread.
 */
public final class BatchGenerator {
  private final SequenceModel model;
  private final int eop;
  private final Decoding decoding;
  private final TokenSampler sampler;
  private float[] logits = new float[0];

  /**
   * @param eop the token that ends a completion
   */
  public BatchGenerator(SequenceModel model, int eop, Decoding decoding) {
    this.model = model;
    this.eop = eop;
    this.decoding = decoding;
    this.sampler = new TokenSampler(decoding.sampling(), model.vocabulary());
  }

  /** A prompt under way. */
  private static final class Running {
    final int place; // among the prompts
    final int index; // among the model's sequences
    final Prompt prompt;
    final BitSet seen = new BitSet();
    final int[] newIds;
    int count;

    Running(int place, int index, Prompt prompt, int most) {
      this.place = place;
      this.index = index;
      this.prompt = prompt;
      this.newIds = new int[most];
      IntStream.of(prompt.ids()).forEach(seen::set);
    }

    void add(int token) {
      newIds[count++] = token;
      seen.set(token);
    }
  }

  /**
   * The new ids of each prompt, without the closing eop.
   *
   * @throws TunerException naming the prompt, where logits are not finite
   */
  public List<int[]> complete(List<Prompt> prompts) {
    int[][] completions = new int[prompts.size()][];
    Deque<Integer> free =
        new ArrayDeque<>(IntStream.range(0, decoding.batchSize()).boxed().toList());
    List<Running> running = new ArrayList<>();
    int begun = 0;
    while (begun < completions.length || !running.isEmpty()) {
      begun = admit(prompts, begun, free, running);
      run(running);
      List<Running> left = new ArrayList<>();
      for (int row = 0; row < running.size(); row++) {
        Running one = running.get(row);
        int token = sampler.next(logits, row, one.seen, one.prompt, one.count);
        if (token != eop) {
          one.add(token);
        }
        if (token == eop || one.count == one.newIds.length) {
          completions[one.place] = Arrays.copyOf(one.newIds, one.count);
          free.push(one.index);
        } else {
          model.append(one.index, token);
          left.add(one);
        }
      }
      running = left;
    }
    return List.of(completions);
  }

  /** Begins prompts while there is room; one at least where nothing else runs. */
  private int admit(List<Prompt> prompts, int begun, Deque<Integer> free, List<Running> running) {
    int next = begun;
    int rows = running.size();
    while (next < prompts.size() && !free.isEmpty()) {
      Prompt prompt = prompts.get(next);
      if (!running.isEmpty() && rows + prompt.ids().length > decoding.stepTokens()) {
        break;
      }
      rows += prompt.ids().length;
      int index = free.pop();
      model.begin(index, prompt.ids(), decoding.maxNewTokens());
      running.add(new Running(next, index, prompt, decoding.maxNewTokens()));
      next++;
    }
    return next;
  }

  private void run(List<Running> running) {
    int needed = Math.multiplyExact(running.size(), model.vocabulary());
    if (logits.length < needed) {
      logits = new float[needed];
    }
    model.run(running.stream().mapToInt(one -> one.index).toArray(), logits);
  }
}
