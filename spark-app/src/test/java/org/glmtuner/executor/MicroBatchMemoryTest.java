package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.glmtuner.config.MicroBatchTokens;
import org.glmtuner.config.Precision;
import org.glmtuner.executor.MemoryLimit.Kind;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.ModelShapes;
import org.glmtuner.model.RankMemory;
import org.glmtuner.model.RankMemory.Sequences;
import org.glmtuner.topology.Hosts;
import org.junit.jupiter.api.Test;

class MicroBatchMemoryTest {
  private static final long GIGA = 1_000_000_000;
  private static final long BASE = 12 * GIGA;
  private static final MicroBatchTokens AUTO = new MicroBatchTokens.Auto();
  private static final MicroBatchTokens USUAL = new MicroBatchTokens.Given(1024);

  private static RankMemory memory(boolean projection) {
    return RankMemory.of(ModelShapes.chatGlm6b(), new Prefix(128, projection), Precision.BF16, 1);
  }

  private static MicroBatchMemory of(boolean projection, MicroBatchTokens tokens) {
    return new MicroBatchMemory(
        memory(projection), BASE, tokens, new MicroBatchMemory.Samples(120, 100, 16));
  }

  private static MemoryLimit host(long gigabytes) {
    return new MemoryLimit(Kind.HOST, "", gigabytes * GIGA);
  }

  private static String facts(int partition, String host, String node, MemoryLimit... limits) {
    return new RankPlan.Facts(
            partition,
            new HostIdentity(host, "machine of " + host + "/" + node),
            Hosts.group(0, partition),
            List.of(limits))
        .encode();
  }

  private static RankPlan plan(String... facts) {
    return RankPlan.of(facts);
  }

  @Test
  void theEncodersOfTheRealModelHaveTheirOfficialSizes() {
    assertThat(memory(false).trainableValues()).isEqualTo(29_360_128);
    assertThat(memory(true).trainableValues()).isEqualTo(957_059_072);
  }

  @Test
  void aRankOfTheRealModelHasAtMostThreeAndAHalfGibibytesForItselfEvenDuringACheckpoint() {
    RankMemory memory = memory(false);
    long bytes = memory.privateBytes(1024, 10) + memory.checkpointBytes();
    assertThat(bytes).isBetween(3L << 30, 7L << 29);
  }

  @Test
  void theProjectedEncoderOfTheRealModelIsRefusedWithTheNumbersWhereItDoesNotFit() {
    RankPlan plan =
        plan(
            facts(0, "a", "n", host(54)),
            facts(1, "a", "n", host(54)),
            facts(2, "b", "n", host(54)));
    assertThatThrownBy(() -> of(true, USUAL).training(plan, 2, MicroBatchMemoryTest::file))
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNSUITABLE))
        .hasMessageMatching(
            "Cannot fit the ranks into memory: the host a has 54\\.0 GB free, needed are 6\\d\\.\\d GB: 12\\.0 GB of the base, 11\\.5 GB of a checkpoint's copy, and for each of 2 ranks 1\\d\\.\\d GB, 15\\.\\d GB of it for the 957,059,072 trainable values .* for 1024 tokens \\(training\\.micro-batch-tokens, prefix\\.projection, prefix\\.length, ranks\\.count; on YARN spark\\.executor\\.memoryOverhead\\)");
    assertThat(of(false, USUAL).training(plan, 2, MicroBatchMemoryTest::file).tokens())
        .isEqualTo(1024);
  }

  /** All map the weight file. */
  private static Object file(int rank) {
    return "file";
  }

  @Test
  void aHostNeedsRoomForEachCopyOfTheBaseThatItsRanksAreToHave() {
    RankPlan plan = plan(facts(0, "a", "n", host(30)), facts(1, "a", "n", host(30)));
    MicroBatchMemory memory = of(false, USUAL);
    assertThatCode(() -> memory.training(plan, 0, MicroBatchMemoryTest::file))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> memory.training(plan, 0, rank -> rank))
        .isInstanceOf(TunerException.class)
        .hasMessageContaining("24.0 GB of 2 copies of the base");
    int one = of(false, AUTO).serving(List.of(host(28)), 8, 1, Sequences.NONE).tokens();
    assertThat(of(false, AUTO).serving(List.of(host(28)), 8, 2, Sequences.NONE).tokens())
        .isLessThan(one);
  }

  @Test
  void onlyTheHostOfTheFirstRankNeedsRoomForACheckpoint() {
    long rank = memory(true).privateBytes(1024, 11);
    long other = BASE + rank;
    long first = other + memory(true).checkpointBytes();
    assertThatCode(
            () -> of(true, USUAL).training(twoHosts(first, other), 0, MicroBatchMemoryTest::file))
        .doesNotThrowAnyException();
    assertThatThrownBy(
            () ->
                of(true, USUAL).training(twoHosts(first, other - 1), 0, MicroBatchMemoryTest::file))
        .hasMessageContaining("the host b has")
        .hasMessageNotContaining("copy");
    assertThatThrownBy(
            () ->
                of(true, USUAL).training(twoHosts(first - 1, other), 0, MicroBatchMemoryTest::file))
        .hasMessageContaining("the host a has");
  }

  private static RankPlan twoHosts(long first, long second) {
    return plan(
        facts(0, "a", "n", new MemoryLimit(Kind.HOST, "", first)),
        facts(1, "b", "n", new MemoryLimit(Kind.HOST, "", second)));
  }

  @Test
  void aPlainPrefixIsRefusedTooWithTheTokensThatAStepCanHave() {
    RankPlan small = plan(facts(0, "a", "n", host(14)));
    assertThatThrownBy(() -> of(false, USUAL).training(small, 0, MicroBatchMemoryTest::file))
        .hasMessageContaining("the host a has 14.0 GB free")
        .hasMessageContaining("for 1024 tokens");
    assertThat(
            of(false, AUTO)
                .training(plan(facts(0, "a", "n", host(15))), 0, MicroBatchMemoryTest::file)
                .tokens())
        .isBetween(120, 400);
    // a step has 1920 tokens at most, however many a micro-batch may have
    MicroBatchTokens many = new MicroBatchTokens.Given(1 << 20);
    assertThat(
            of(false, many)
                .training(plan(facts(0, "a", "n", host(20))), 0, MicroBatchMemoryTest::file)
                .tokens())
        .isEqualTo(1 << 20);
  }

  @Test
  void autoHandsOutNineTenthsOfWhatIsFreeToTheRanksOfAHost() {
    RankMemory memory = memory(false);
    MicroBatchMemory auto = of(false, AUTO);
    RankPlan plan =
        plan(
            facts(0, "a", "n", host(23)),
            facts(1, "a", "n", host(22)),
            facts(2, "b", "m", host(40)));
    int tokens = auto.training(plan, 1, MicroBatchMemoryTest::file).tokens();
    assertThat(auto.training(plan, 0, MicroBatchMemoryTest::file).tokens())
        .isEqualTo(tokens); // both see the lesser number
    long share = (long) (0.9 * 22 * GIGA - BASE - memory.checkpointBytes()) / 2;
    assertThat(memory.privateBytes(tokens, (tokens + 99) / 100))
        .isBetween(share - (128 << 20), share);
    assertThat(tokens).isBetween(900, 1800);
    MicroBatchMemory.Budget roomy = auto.training(plan, 2, MicroBatchMemoryTest::file);
    assertThat(roomy.tokens()).isEqualTo(4096);
    assertThat(roomy.reason()).startsWith("auto; the host b has 40.0 GB free, needed are ");
  }

  @Test
  void autoNeverGoesBelowTheLongestSample() {
    MicroBatchMemory.Samples lengthy = new MicroBatchMemory.Samples(5000, 100, 16);
    MicroBatchMemory auto = new MicroBatchMemory(memory(false), BASE, AUTO, lengthy);
    assertThat(
            auto.training(plan(facts(0, "a", "n", host(60))), 0, MicroBatchMemoryTest::file)
                .tokens())
        .isEqualTo(5000);
    assertThatThrownBy(
            () -> auto.training(plan(facts(0, "a", "n", host(22))), 0, MicroBatchMemoryTest::file))
        .hasMessageContaining("for 5000 tokens");
  }

  @Test
  void theTightestLimitDecidesAndBindsThoseWhoShareIt() {
    MemoryLimit group = new MemoryLimit(Kind.CONTROL_GROUP, "/pod", 18 * GIGA);
    RankPlan apart =
        plan(facts(0, "a", "pod-1", host(90), group), facts(1, "a", "pod-2", host(90), group));
    MicroBatchMemory auto = of(false, AUTO);
    MicroBatchMemory.Budget alone = auto.training(apart, 0, MicroBatchMemoryTest::file);
    assertThat(alone.reason()).startsWith("auto; the control group /pod on a has 18.0 GB free");
    RankPlan together =
        plan(facts(0, "a", "pod-1", host(90), group), facts(1, "a", "pod-1", host(90), group));
    assertThat(auto.training(together, 0, MicroBatchMemoryTest::file).tokens())
        .isLessThan(alone.tokens());
    assertThat(alone.tokens()).isLessThan(4096);
    RankPlan yarn =
        plan(facts(0, "a", "n", host(90), new MemoryLimit(Kind.YARN_CONTAINER, "7", 9 * GIGA)));
    assertThatThrownBy(() -> of(false, USUAL).training(yarn, 0, MicroBatchMemoryTest::file))
        .hasMessageContaining("the YARN container of executor 7 on a has 9.0 GB free");
  }

  @Test
  void aRankThatServesTakesItsShareAndIsRefusedOnlyWhereOneAloneDoesNotFit() {
    MicroBatchMemory auto =
        new MicroBatchMemory(memory(false), BASE, AUTO, MicroBatchMemory.Samples.unknown(128));
    assertThat(auto.serving(List.of(host(24)), 1, 1, Sequences.NONE).tokens()).isEqualTo(4096);
    int shared = auto.serving(List.of(host(24)), 8, 1, Sequences.NONE).tokens();
    assertThat(shared).isBetween(128, 4095);
    assertThat(auto.serving(List.of(host(24)), 8, 1, new Sequences(4, 250)).tokens())
        .isEqualTo(128);
    assertThatThrownBy(() -> auto.serving(List.of(host(12)), 1, 1, Sequences.NONE))
        .hasMessageContaining("the host has 12.0 GB free");
    MicroBatchMemory given =
        new MicroBatchMemory(memory(false), BASE, USUAL, MicroBatchMemory.Samples.unknown(128));
    assertThat(given.serving(List.of(host(24)), 8, 1, new Sequences(4, 250)).tokens())
        .isEqualTo(1024);
  }
}
