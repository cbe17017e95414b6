package org.glmtuner.benchmark;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code full-size}: {@code step} at the real size. */
@Command(
    name = "full-size",
    description = {
      "Measures steps of a model of ChatGLM-6B's size with random weights, which take 12.35 GB of the cache directory's",
      "disk and are written once. The file is in the page cache before the ranks start. Prints one line of JSON."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class FullSizeCommand implements Callable<Integer> {
  @Mixin
  private final StepOptions options =
      new StepOptions(28, ModelShape.REAL_VOCABULARY, 2, 2); // with the warm-up, three steps

  @Override
  public Integer call() throws Exception {
    Settings settings = options.settings();
    TokenRows rows = TokenRows.read(options.data(), settings.model());
    StepRun run = new StepRun(settings);
    run.readWeights();
    System.out.println(
        run.run(
            rows.dealt(settings.group().ranks(), options.rows()),
            options.repeat(),
            options.verify()));
    return 0;
  }
}
