package org.glmtuner.benchmark;

import java.util.List;
import org.glmtuner.wire.StepReport;

/**
 * What a step came to.
 *
 * @param report of rank 0
 * @param gradient of the prefix, for each layer [2, P, H]: keys, then values; summed over the
 *     step's samples
 */
record StepResult(StepReport report, List<float[]> gradient) {}
