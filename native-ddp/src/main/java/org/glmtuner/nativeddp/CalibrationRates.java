package org.glmtuner.nativeddp;

/**
 * What the threads of a process did together.
 *
 * @param operationsPerSecond of matrix products, two for each multiplication and addition
 * @param bytesPerSecond read from memory
 */
public record CalibrationRates(double operationsPerSecond, double bytesPerSecond) {}
