package org.glmtuner.planning;

/**
 * What summing the gradients takes of the network in each step.
 *
 * @param bytesPerRank that a rank sends, and receives
 * @param bytesPerHost of them, those that a host sends to others, and receives; 0 where there is
 *     one host
 * @param seconds of the sum, hidden or not
 */
public record NetworkUse(long bytesPerRank, long bytesPerHost, double seconds) {

  /**
   * Of ranks that are ordered by host: in a ring, one rank of each host sends to another host as
   * much as every rank sends to the next.
   */
  static NetworkUse of(long bytesPerRank, int hosts, Speeds speeds) {
    if (hosts == 1) {
      return new NetworkUse(bytesPerRank, 0, bytesPerRank / speeds.sharedMemory().perSecond());
    }
    double slowest = Math.min(speeds.sharedMemory().perSecond(), speeds.link().perSecond());
    return new NetworkUse(bytesPerRank, bytesPerRank, bytesPerRank / slowest);
  }
}
