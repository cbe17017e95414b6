package org.glmtuner.executor;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.generation.Decoding;
import org.glmtuner.generation.Prompt;
import org.glmtuner.model.RankMemory;
import org.glmtuner.wire.Frame;

/** Completions of prompts, as {@code generation} says. */
public final class CompletionTask extends ServeTask<Prompt, Completion> {
  private static final long serialVersionUID = 1L;

  /** Of one request: the more there are, the longer the rank's batches stay full. */
  private static final int BATCHES = 4;

  public CompletionTask(ServePlan plan) {
    super(plan);
  }

  @Override
  RankMemory.Sequences sequences() {
    TunerConfig config = plan().config();
    int most = config.data().maxSourceLength() + config.generation().maxNewTokens(config.data());
    return new RankMemory.Sequences(config.generation().batchSize(), most);
  }

  @Override
  void answer(Iterator<Prompt> prompts, int tokens, Dialogue rank, List<Completion> answers)
      throws InterruptedException {
    Decoding decoding = Decoding.of(plan().config(), tokens);
    boolean prefix = !plan().checkpoint().isEmpty();
    while (prompts.hasNext()) {
      List<Prompt> some = new ArrayList<>();
      while (prompts.hasNext() && some.size() < BATCHES * decoding.batchSize()) {
        some.add(prompts.next());
      }
      List<int[]> ids = complete(rank, new Frame.Complete(some, decoding, prefix));
      List<int[]> baseIds =
          plan().compareBase() ? complete(rank, new Frame.Complete(some, decoding, false)) : null;
      for (int i = 0; i < some.size(); i++) {
        answers.add(
            new Completion(some.get(i).id(), ids.get(i), baseIds == null ? null : baseIds.get(i)));
      }
      rank.done(some.size());
    }
  }

  private static List<int[]> complete(Dialogue rank, Frame.Complete request)
      throws InterruptedException {
    return ((Frame.Completed) rank.ask(request)).newIds();
  }
}
