package org.glmtuner.wire;

import org.glmtuner.data.Sample;

/**
 * A sample at its place {@code index} in the run's infinite sequence; the place keys the sample's
 * dropout.
 */
public record Entry(long index, Sample sample) {}
