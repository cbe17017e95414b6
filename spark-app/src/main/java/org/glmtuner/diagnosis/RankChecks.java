package org.glmtuner.diagnosis;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Judges what ranks have said and measured. */
public final class RankChecks {
  private static final double GIGA = 1e9;
  private static final double MEGA = 1e6;
  private static final double MICRO = 1e6;

  /** A step waits for its slowest rank: a difference that large wastes that much of the others. */
  private static final double UNEVEN = 1.3;

  private static final String AMX = "amx";

  private RankChecks() {}

  /**
   * What multiplies.
   *
   * @param kernels as a rank calls them, such as {@code avx2/bf16}
   * @param refusals of better instructions, each as {@code name: reason}
   */
  public static void kernels(Findings findings, String kernels, List<String> refusals) {
    kernels(findings, LinuxFiles.here().cpuFlags(), kernels, refusals);
  }

  /** As the other, on a CPU that can do what {@code flags} say. */
  static void kernels(Findings findings, Set<String> flags, String kernels, List<String> refusals) {
    String found =
        refusals.isEmpty() ? kernels : kernels + "; not " + String.join("; not ", refusals);
    boolean refused =
        flags.contains("amx_tile")
            && flags.contains("amx_bf16")
            && refusals.stream().anyMatch(refusal -> refusal.startsWith(AMX + ":"));
    if (refused) {
      findings.warning(
          "kernels",
          found,
          "the CPU has AMX, which is several times faster: it needs Linux 5.16 and leave to use arch_prctl (seccomp)");
    } else {
      findings.ok("kernels", found);
    }
  }

  /** What the kernel says of the threads of a rank. */
  public static void binding(Findings findings, boolean asPlanned, String found) {
    if (asPlanned) {
      findings.ok("binding", found);
    } else {
      findings.warning(
          "binding",
          found,
          "allow sched_setaffinity (seccomp, cpuset): ranks that wander between CPU clusters compute slower");
    }
  }

  /**
   * Rates of one rank.
   *
   * @param alone whether all other ranks of the host did nothing
   */
  public static void rates(
      Findings findings, int threads, double operations, double bytes, boolean alone) {
    Map<String, Double> values = new TreeMap<>();
    values.put("gflops", operations / GIGA);
    values.put("read_gb_per_second", bytes / GIGA);
    findings.ok(
        "rates",
        String.format(
            Locale.ROOT,
            "%d threads: products %.0f GFLOP/s, reading %.1f GB/s%s",
            threads,
            operations / GIGA,
            bytes / GIGA,
            alone ? ", alone" : ", all ranks at once"),
        values);
  }

  /**
   * Whether ranks are equally fast.
   *
   * @param operations a second of each rank while all compute
   */
  public static void balance(Findings findings, List<Double> operations) {
    double most = operations.stream().mapToDouble(Double::doubleValue).max().orElse(0);
    double least = operations.stream().mapToDouble(Double::doubleValue).min().orElse(0);
    String found =
        String.format(
            Locale.ROOT,
            "the slowest of %d ranks has %.0f GFLOP/s, the fastest %.0f",
            operations.size(),
            least / GIGA,
            most / GIGA);
    if (most > UNEVEN * least) {
      findings.warning(
          "balance",
          found,
          "every step waits for the slowest rank: take hosts of one kind, and look for what else runs there");
    } else {
      findings.ok("balance", found);
    }
  }

  /**
   * What joins the ranks.
   *
   * @param found as the kernel sees it
   * @param sharing ranks that share memory with another
   * @param tcp ranks that have TCP connections
   */
  public static void provider(Findings findings, String found, long sharing, long tcp) {
    Map<String, Double> values = new TreeMap<>();
    values.put("shared_memory_ranks", (double) sharing);
    values.put("tcp_ranks", (double) tcp);
    findings.ok("provider", found, values);
  }

  /**
   * A sum over all ranks.
   *
   * @param ranks that took part, as {@code 2 ranks on 1 host}
   * @param seconds for {@code bytes}; the best of some
   * @param few seconds for the few values of a loss; the median
   */
  public static void sums(Findings findings, String ranks, long bytes, double seconds, double few) {
    Map<String, Double> values = new TreeMap<>();
    values.put("all_reduce_seconds", seconds);
    values.put("all_reduce_gb_per_second", bytes / seconds / GIGA);
    values.put("small_sum_seconds", few);
    findings.ok(
        "all-reduce",
        String.format(
            Locale.ROOT,
            "%s: %.0f MB in %.3f s (%.2f GB/s), a few values in %.0f us",
            ranks,
            bytes / MEGA,
            seconds,
            bytes / seconds / GIGA,
            few * MICRO),
        values);
  }
}
