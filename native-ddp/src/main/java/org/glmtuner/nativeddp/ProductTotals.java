package org.glmtuner.nativeddp;

/**
 * What matrix products have cost.
 *
 * @param seconds while all threads of the transformer multiplied
 * @param operations two for each multiplication and addition
 */
public record ProductTotals(double seconds, double operations) {}
