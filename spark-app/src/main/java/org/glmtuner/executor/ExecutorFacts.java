package org.glmtuner.executor;

import java.io.Serializable;

/**
 * What an executor says of itself when it starts.
 *
 * @param clusterSizes CPUs of each CPU cluster that the executor may use
 */
public record ExecutorFacts(String executor, int[] clusterSizes) implements Serializable {}
