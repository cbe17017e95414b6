package org.glmtuner.executor;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.glmtuner.config.MicroBatchTokens;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.RankMemory;
import org.glmtuner.model.RankMemory.Parts;
import org.glmtuner.placement.MemoryNeed;

/**
 * How many tokens a micro-batch may have, and whether ranks fit into the memory of their hosts at
 * all. A host needs the base once, or as many copies of it as its ranks are to have, all that they
 * have for themselves, and with rank 0 the copy that a checkpoint is written from.
 *
 * @param memory of a rank
 * @param baseBytes of the weight file
 * @param configured {@code training.micro-batch-tokens}
 */
public record MicroBatchMemory(
    RankMemory memory, long baseBytes, MicroBatchTokens configured, Samples samples)
    implements Serializable {

  /** More make products no faster. */
  private static final int MOST_TOKENS = 4096;

  /** Of the free memory, what {@code auto} hands out: the prediction may be off by a tenth. */
  private static final double HANDED_OUT = 0.9;

  private static final double GIGA = 1e9;

  /**
   * What there is to compute on.
   *
   * @param longest tokens of the longest
   * @param mean tokens of one, on average
   * @param most in a micro-batch
   */
  public record Samples(int longest, double mean, int most) implements Serializable {
    /** Of which only a bound of their length is known. */
    public static Samples unknown(int longest) {
      return new Samples(longest, longest, Integer.MAX_VALUE);
    }

    /** How many a micro-batch of so many tokens holds. */
    public int in(int tokens) {
      return (int) Math.min(most, Math.ceil(tokens / mean));
    }
  }

  /**
   * Ranks that share a limit.
   *
   * @param copies of the base among them
   */
  private record Pool(String title, long freeBytes, int ranks, boolean leads, Set<Object> copies) {}

  /**
   * A decision.
   *
   * @param reason with the numbers, for the log
   */
  public record Budget(int tokens, String reason) {}

  /** What a rank that trains needs at least, for a decision where it is to be. */
  MemoryNeed trainingNeed() {
    int least = least();
    return new MemoryNeed(baseBytes, memory.training(least, samples.in(least)).total());
  }

  /** As {@link #trainingNeed}, of a rank that scores and completes prompts. */
  MemoryNeed servingNeed(RankMemory.Sequences sequences) {
    return new MemoryNeed(baseBytes, memory.serving(least(), sequences).total());
  }

  /**
   * Decides for a rank that trains. All tasks of a host come to the same end.
   *
   * @param copies for each rank, what is equal for those that read the same copy of the base
   * @throws TunerException (exit code 3) with the numbers of the first host without room
   */
  Budget training(RankPlan plan, int rank, IntFunction<Object> copies) {
    Map<String, Pool> pools = new LinkedHashMap<>();
    List<String> own = new ArrayList<>();
    for (int other = 0; other < plan.worldSize(); other++) {
      RankPlan.Facts facts = plan.ranks().get(other);
      for (MemoryLimit limit : facts.limits()) {
        Pool one =
            new Pool(
                limit.title(facts.host()),
                limit.freeBytes(),
                1,
                other == 0,
                Set.of(copies.apply(other)));
        pools.merge(limit.pool(facts.host()), one, MicroBatchMemory::together);
        if (other == rank) {
          own.add(limit.pool(facts.host()));
        }
      }
    }
    IntFunction<Parts> need = tokens -> memory.training(tokens, samples.in(tokens));
    int least = least();
    for (Pool pool : pools.values()) {
      requireRoom(pool, least, need);
    }
    return decide(own.stream().map(pools::get).toList(), least, need);
  }

  /**
   * Decides for a rank that scores or completes prompts beside others, which start when they like.
   *
   * @param ranks that can be on this host at a time
   * @param copies of the base that they can have
   * @param sequences prompts under way with their completions
   * @throws TunerException (exit code 3) where not even one of them has room
   */
  Budget serving(List<MemoryLimit> limits, int ranks, int copies, RankMemory.Sequences sequences) {
    IntFunction<Parts> need = tokens -> memory.serving(tokens, sequences);
    int least = least();
    List<Pool> pools = new ArrayList<>();
    for (MemoryLimit limit : limits) {
      requireRoom(new Pool(limit.title(), limit.freeBytes(), 1, false, Set.of(0)), least, need);
      Set<Object> all = new HashSet<>();
      IntStream.range(0, Math.min(ranks, copies)).forEach(all::add);
      pools.add(new Pool(limit.title(), limit.freeBytes(), ranks, false, all));
    }
    return decide(pools, least, need);
  }

  /**
   * Decides for all ranks of a host of the plan, rank 0 among them.
   *
   * @param title of the memory, for people
   * @param bytes of it that they can get
   * @throws TunerException (exit code 3) where they do not fit
   */
  public Budget planned(String title, long bytes, int ranks) {
    Pool pool = new Pool(title, bytes, ranks, true, Set.of(0));
    IntFunction<Parts> need = tokens -> memory.training(tokens, samples.in(tokens));
    int least = least();
    requireRoom(pool, least, need);
    return decide(List.of(pool), least, need);
  }

  private static Pool together(Pool one, Pool other) {
    Set<Object> copies = new HashSet<>(one.copies);
    copies.addAll(other.copies);
    return new Pool(
        one.title,
        Math.min(one.freeBytes, other.freeBytes),
        one.ranks + other.ranks,
        one.leads || other.leads,
        copies);
  }

  /** A sample is never cut, and a step may have fewer tokens than a micro-batch could hold. */
  private int least() {
    int given = configured instanceof MicroBatchTokens.Given number ? number.tokens() : 1;
    long step = (long) samples.most() * samples.longest();
    return (int) Math.max(samples.longest(), Math.min(given, step));
  }

  private Budget decide(List<Pool> pools, int least, IntFunction<Parts> need) {
    if (configured instanceof MicroBatchTokens.Given given) {
      return new Budget(given.tokens(), "as configured; " + describe(pools.get(0), least, need));
    }
    int tokens = Math.max(least, MOST_TOKENS);
    Pool tightest = pools.get(0);
    for (Pool pool : pools) {
      int room = room(pool, least, tokens, need);
      if (room < tokens) {
        tokens = room;
        tightest = pool;
      }
    }
    return new Budget(tokens, "auto; " + describe(tightest, tokens, need));
  }

  /** The most tokens, from {@code least} on, for which a pool has room. */
  private int room(Pool pool, int least, int most, IntFunction<Parts> need) {
    double share = (HANDED_OUT * pool.freeBytes - base(pool) - checkpoint(pool)) / pool.ranks;
    int fits = least;
    int tooMany = most + 1;
    while (tooMany - fits > 1) {
      int middle = fits + (tooMany - fits) / 2;
      if (need.apply(middle).total() <= share) {
        fits = middle;
      } else {
        tooMany = middle;
      }
    }
    return fits;
  }

  private long base(Pool pool) {
    return pool.copies.size() * baseBytes;
  }

  private long checkpoint(Pool pool) {
    return pool.leads ? memory.checkpointBytes() : 0;
  }

  private void requireRoom(Pool pool, int tokens, IntFunction<Parts> need) {
    if (needed(pool, need.apply(tokens)) > pool.freeBytes) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          "Cannot fit the ranks into memory: "
              + describe(pool, tokens, need)
              + " (training.micro-batch-tokens, prefix.projection, prefix.length, ranks.count; on YARN spark.executor.memoryOverhead)");
    }
  }

  private long needed(Pool pool, Parts rank) {
    return base(pool) + checkpoint(pool) + pool.ranks * rank.total();
  }

  private String describe(Pool pool, int tokens, IntFunction<Parts> need) {
    Parts rank = need.apply(tokens);
    long batch = rank.total() - rank.prefix() - rank.process();
    return String.format(
        Locale.ROOT,
        "%s has %.1f GB free, needed are %.1f GB: %.1f GB of %s%s, and for each of %d ranks %.1f GB, %.1f GB of it for the %,d trainable values and what follows from them, %.1f GB for %d tokens",
        pool.title,
        pool.freeBytes / GIGA,
        needed(pool, rank) / GIGA,
        base(pool) / GIGA,
        pool.copies.size() == 1 ? "the base" : pool.copies.size() + " copies of the base",
        pool.leads
            ? String.format(
                Locale.ROOT, ", %.1f GB of a checkpoint's copy", checkpoint(pool) / GIGA)
            : "",
        pool.ranks,
        rank.total() / GIGA,
        rank.prefix() / GIGA,
        memory.trainableValues(),
        batch / GIGA,
        tokens);
  }
}
