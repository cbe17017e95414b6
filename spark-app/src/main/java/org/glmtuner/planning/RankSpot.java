package org.glmtuner.planning;

/**
 * A rank of the plan.
 *
 * @param host from 0
 * @param memoryNode number of the NUMA node that its own memory is on
 * @param memory bytes that it takes for itself
 */
public record RankSpot(int rank, int host, Seat seat, int memoryNode, long memory) {}
