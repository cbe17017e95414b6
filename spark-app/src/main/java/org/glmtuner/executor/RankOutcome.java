package org.glmtuner.executor;

import java.io.Serializable;

/** What a task of the barrier stage returns. */
public record RankOutcome(int rank, String host, long steps) implements Serializable {}
