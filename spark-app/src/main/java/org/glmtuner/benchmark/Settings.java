package org.glmtuner.benchmark;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.MicroBatchTokens;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.Topology;

/**
 * What is measured, and on what.
 *
 * @param overrides of the configuration's defaults, by key
 * @param group ranks, and threads of each
 * @param topology the CPUs that ranks are pinned to
 * @param peaks the program that measures what CPUs can do at best
 */
record Settings(
    ModelShape model, Map<String, String> overrides, Group group, Topology topology, Path peaks) {

  record Group(int ranks, int threads) {
    /** As many threads in one rank. */
    Group joined() {
      return new Group(1, ranks * threads);
    }
  }

  /** The learning rate is 0, so that a step that is repeated is the same step. */
  TunerConfig config() {
    Map<String, String> keys = new HashMap<>(overrides);
    keys.put("prefix.length", Integer.toString(model.prefix()));
    keys.put("training.learning-rate", "0");
    keys.put("training.checkpoint-every", Integer.toString(Integer.MAX_VALUE));
    return ConfigLoader.load("", "", keys);
  }

  /**
   * Tokens of one pass of a rank.
   *
   * @throws TunerException (exit code 2) for {@code auto}: what is measured must not depend on what
   *     else the machine does
   */
  int microBatchTokens() {
    if (config().training().microBatchTokens() instanceof MicroBatchTokens.Given given) {
      return given.tokens();
    }
    throw new TunerException(
        ExitCode.INVALID, "Invalid training.micro-batch-tokens: auto (a benchmark needs a number)");
  }

  /** As in the output of a peer. */
  String mode() {
    return "glm-tuner-" + config().model().precision().label();
  }

  /** The same step as one rank computes it, row by row, with the products of libtorch's BLAS. */
  Settings reference() {
    Map<String, String> keys = new HashMap<>(overrides);
    keys.put("engine.isa", "generic");
    keys.put("ranks.across-clusters", "true"); // it has the cores of all the ranks
    keys.put("training.micro-batch-tokens", "1");
    return new Settings(model, Map.copyOf(keys), group.joined(), topology, peaks);
  }
}
