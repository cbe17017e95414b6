package org.glmtuner.executor;

import java.io.Serializable;

/**
 * The loss of one sample, summed over its labelled tokens.
 *
 * @param baseLoss of the base without the prefix; NaN where that was not asked for
 */
public record SampleLoss(long id, double loss, double baseLoss, int labelledTokens)
    implements Serializable {}
