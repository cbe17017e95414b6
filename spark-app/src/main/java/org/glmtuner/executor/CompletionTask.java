package org.glmtuner.executor;

import java.util.Iterator;
import java.util.List;
import org.glmtuner.wire.Frame;

/** Greedy completions of prompts. */
public final class CompletionTask extends ServeTask<Prompt, Completion> {
  private static final long serialVersionUID = 1L;

  private final int maxNewTokens;

  public CompletionTask(ServePlan plan, int maxNewTokens) {
    super(plan);
    this.maxNewTokens = maxNewTokens;
  }

  @Override
  void answer(Iterator<Prompt> prompts, Dialogue rank, List<Completion> answers)
      throws InterruptedException {
    boolean prefix = !plan().checkpoint().isEmpty();
    while (prompts.hasNext()) {
      Prompt prompt = prompts.next();
      int[] ids = complete(rank, prompt, prefix);
      int[] baseIds = plan().compareBase() ? complete(rank, prompt, false) : null;
      answers.add(new Completion(prompt.id(), ids, baseIds));
    }
  }

  private int[] complete(Dialogue rank, Prompt prompt, boolean prefix) throws InterruptedException {
    return ((Frame.Completed) rank.ask(new Frame.Complete(prompt.ids(), maxNewTokens, prefix)))
        .newIds();
  }
}
