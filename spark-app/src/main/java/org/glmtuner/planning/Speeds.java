package org.glmtuner.planning;

import java.util.Optional;

/**
 * How fast the planned hosts are.
 *
 * @param products floating-point operations that a core does in a second of matrix products
 * @param coreReading bytes that a core reads from memory in a second, whatever the memory could
 *     give; nothing where it is not known
 * @param clusterReading bytes that the cores of a CPU cluster read together in a second from where
 *     their weights are, instead of what the topology says of the memory
 * @param sharedMemory bytes that a rank sends and receives in a second while ranks of one host
 *     reduce
 * @param link bytes that a host sends and receives in a second while hosts reduce
 */
public record Speeds(
    Rate products,
    Optional<Rate> coreReading,
    Optional<Rate> clusterReading,
    Rate sharedMemory,
    Rate link) {

  /**
   * A number and where it is from.
   *
   * @param perSecond above 0
   * @param origin for people, such as {@code given}
   */
  public record Rate(double perSecond, String origin) {
    public Rate {
      if (!(perSecond > 0) || Double.isInfinite(perSecond)) {
        throw new IllegalArgumentException(
            "Invalid rate: " + perSecond + " (a number above 0), " + origin);
      }
    }

    Rate dividedBy(double parts) {
      return new Rate(perSecond / parts, origin);
    }
  }

  /** Two ranks on an AMD EPYC 9004: 117 MB in 60 ms. */
  public static final Rate SHARED_MEMORY = new Rate(2e9, "assumed");

  /** Ten gigabits. */
  public static final Rate TEN_GIGABIT = new Rate(1.25e9, "assumed: 10 Gbit/s");
}
