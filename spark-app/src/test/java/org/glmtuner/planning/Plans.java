package org.glmtuner.planning;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.planning.Speeds.Rate;
import org.glmtuner.topology.Topology;

/** Plans for ChatGLM-6B, of samples as long as they may be. */
final class Plans {
  static final ModelSizes MODEL = ModelSizes.ofChatGlm6b(Precision.BF16);

  private static final Rate GIVEN = new Rate(100e9, "given");

  /** For hosts that say how fast their memory is. */
  static final Speeds SPEEDS = speeds(Optional.empty(), Optional.empty());

  private Plans() {}

  static Speeds speeds(Optional<Rate> core, Optional<Rate> cluster) {
    return new Speeds(GIVEN, core, cluster, Speeds.SHARED_MEMORY, Speeds.TEN_GIGABIT);
  }

  /**
   * With products of 100 GFLOP/s a core.
   *
   * @param keys of the configuration, as {@code ranks.count=2}
   */
  static Plan plan(Topology topology, String... keys) {
    return plan(topology, 1, keys);
  }

  static Plan plan(Topology topology, int hosts, String... keys) {
    boolean says = topology.memory().get(0).bandwidth() > 0;
    Optional<Rate> core = says ? Optional.empty() : Optional.of(new Rate(20e9, "given"));
    return plan(topology, hosts, speeds(core, Optional.empty()), keys);
  }

  static Plan plan(Topology topology, int hosts, Speeds speeds, String... keys) {
    TunerConfig config = config(keys);
    return Planner.plan(
        new PlanRequest(
            config,
            new HostPlan(topology, "as a test has it", hosts),
            MODEL,
            SampleSizes.longest(config.data()),
            speeds));
  }

  private static TunerConfig config(String... keys) {
    Map<String, String> overrides = new HashMap<>();
    for (String key : keys) {
      overrides.put(key.substring(0, key.indexOf('=')), key.substring(key.indexOf('=') + 1));
    }
    return ConfigLoader.load("", "", overrides);
  }
}
