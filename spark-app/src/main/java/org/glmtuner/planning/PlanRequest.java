package org.glmtuner.planning;

import org.glmtuner.config.TunerConfig;

/** What is to be planned. */
public record PlanRequest(
    TunerConfig config, HostPlan host, ModelSizes model, SampleSizes samples, Speeds speeds) {}
