package org.glmtuner.diagnosis;

import java.util.Locale;
import java.util.Map;

/**
 * Clocks of hosts: logs and timestamps are compared by people, and Kerberos allows five minutes.
 */
public final class ClockCheck {
  private static final double MOST_SECONDS = 300;
  private static final double NOTABLE_SECONDS = 1;

  private ClockCheck() {}

  /**
   * Judges the difference between two clocks.
   *
   * @param seconds by which this host is ahead of the driver
   * @param uncertainty of that, half the time that asking took
   */
  public static void judge(Findings findings, double seconds, double uncertainty) {
    String found =
        String.format(
            Locale.ROOT, "%+.3f s against the driver, give or take %.3f s", seconds, uncertainty);
    Map<String, Double> values = Map.of("clock_seconds", seconds);
    double certain = Math.max(0, Math.abs(seconds) - uncertainty);
    String advice = "synchronise the clocks (chrony, ntpd)";
    if (certain > MOST_SECONDS) {
      findings.problem(
          "clock",
          found,
          advice + ": Kerberos, and with it HDFS, refuses what is so far off",
          values);
    } else if (certain > NOTABLE_SECONDS) {
      findings.warning(
          "clock", found, advice + ": log lines of hosts cannot be put in order", values);
    } else {
      findings.ok("clock", found, values);
    }
  }
}
