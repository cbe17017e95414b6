package org.glmtuner.benchmark;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code step}: an optimiser step of a few real layers. */
@Command(
    name = "step",
    description = {
      "Measures forward, backward and all-reduce of a step with random weights, and the optimiser beside it. Prints one",
      "line of JSON. fma_peak_fraction relates the products that the step needs to what the same CPUs do in a loop of FP32",
      "fused multiply-adds in the same run, kernel_peak_fraction to a loop of the instructions that our products use;",
      "private_gib are the pages that a rank has written."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class StepCommand implements Callable<Integer> {
  @Mixin private final StepOptions options = new StepOptions(4, 8192, 16, 3);

  @Override
  public Integer call() throws Exception {
    Settings settings = options.settings();
    TokenRows rows = TokenRows.read(options.data(), settings.model());
    System.out.println(
        new StepRun(settings)
            .run(
                rows.dealt(settings.group().ranks(), options.rows()),
                options.repeat(),
                options.verify()));
    return 0;
  }
}
