package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * What training an encoder takes of a host's memory: the base once, the encoder in every rank, and
 * a copy of it with rank 0 while a checkpoint is written.
 *
 * @param values trainable values
 * @param baseBytes of the weight file
 */
record PrefixMemory(long values, long baseBytes) {
  /** Value, gradient and two moments in FP32. */
  private static final long RANK_BYTES = 16;

  /** Value and two moments in FP32. */
  private static final long COPY_BYTES = 12;

  private static final double GIGA = 1e9;

  /** Bytes that this host can still give out, page cache that it can drop included. */
  static long available() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
      return lines
          .filter(line -> line.startsWith("MemAvailable:"))
          .findFirst()
          .map(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .orElseThrow(() -> new IOException("/proc/meminfo does not say MemAvailable"));
    }
  }

  /**
   * Refuses a plan where it does not fit, before any rank loads anything. All tasks come to the
   * same end.
   *
   * @throws TunerException (exit code 3) with the numbers of the first host without room
   */
  void check(RankPlan plan) {
    String first = plan.ranks().get(0).host().machine();
    for (RankPlan.Facts facts : plan.ranks()) {
      String machine = facts.host().machine();
      long ranks = plan.ranks().stream().filter(f -> f.host().machine().equals(machine)).count();
      long copy = machine.equals(first) ? COPY_BYTES * values : 0;
      long needed = baseBytes + ranks * RANK_BYTES * values + copy;
      if (needed > facts.freeBytes()) {
        throw new TunerException(
            ExitCode.UNSUITABLE,
            String.format(
                Locale.ROOT,
                "Cannot train: the prefix encoder has %,d trainable values; with their gradients and moments they take %.1f GB of each of the %d ranks on %s%s, with %.1f GB of the base together %.1f GB, and %.1f GB are available there (prefix.projection, prefix.length, ranks.count)",
                values,
                RANK_BYTES * values / GIGA,
                ranks,
                facts.host().name(),
                copy == 0
                    ? ""
                    : String.format(Locale.ROOT, ", a checkpoint's copy %.1f GB", copy / GIGA),
                baseBytes / GIGA,
                needed / GIGA,
                facts.freeBytes() / GIGA));
      }
    }
  }
}
