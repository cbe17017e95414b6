package org.glmtuner.planning;

import java.util.List;
import java.util.function.Function;
import org.glmtuner.config.TunerConfig;

/**
 * What is to be planned.
 *
 * @param placement where the weights of a host with ranks on these seats are put
 */
public record PlanRequest(
    TunerConfig config,
    HostPlan host,
    ModelSizes model,
    SampleSizes samples,
    Speeds speeds,
    Function<List<Seat>, Weights> placement) {}
