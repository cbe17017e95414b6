package org.glmtuner.data;

/**
 * A sample and what was cut off to make it.
 *
 * @param promptCut tokens that were over the source length
 * @param responseCut tokens that were over the target length
 */
public record CutSample(Sample sample, int promptCut, int responseCut) {}
