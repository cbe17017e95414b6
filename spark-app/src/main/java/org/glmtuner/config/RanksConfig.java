package org.glmtuner.config;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * {@code ranks}: the processes that train.
 *
 * @param count ranks, 0 for one per CPU cluster
 * @param cores cores per rank, 0 for those of its CPU cluster
 * @param patience how long to wait ({@code ranks.wait}) for executors and free cores
 * @param heartbeatTimeout after which a rank without progress counts as hung
 */
public record RanksConfig(
    int count, int cores, Duration patience, Jvm jvm, Duration heartbeatTimeout)
    implements Serializable {

  /** A rank gives a sign of life every second; one may be late. */
  private static final Duration LEAST_HEARTBEAT_TIMEOUT = Duration.ofSeconds(3);

  /** The rank's Java machine: heap in bytes, home (empty: the executor's own), more options. */
  public record Jvm(long heap, String home, List<String> options) implements Serializable {}

  static RanksConfig read(Section section) {
    return new RanksConfig(
        section.integer("count", 0, 1 << 16),
        section.integer("cores", 0, 1 << 12),
        section.duration("wait", Duration.ofSeconds(1)),
        new Jvm(
            section.bytes("memory", 64L << 20),
            section.text("java-home"),
            section.texts("java-options")),
        section.duration("heartbeat-timeout", LEAST_HEARTBEAT_TIMEOUT));
  }
}
