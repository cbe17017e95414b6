package org.glmtuner.planning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.glmtuner.config.Precision;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.RankMemory;
import org.glmtuner.model.RankMemory.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StepModelTest {
  private static final Prefix PREFIX = new Prefix(128, false);
  private static final Shape REAL = new Shape(28, 4096, 32, 16_384, 130_528);
  private static final long REAL_BYTES = 12_346_572_800L;

  /** decode_benchmark's least reading with two threads, a core, on the machine of the steps. */
  private static final double CORE_READING = 17.4e9;

  private static StepModel model(Shape shape) {
    RankMemory memory = new RankMemory(shape, PREFIX, Precision.BF16, 1);
    long matrices =
        shape.layers() * 12 * shape.hidden() * shape.hidden() + shape.vocabulary() * shape.hidden();
    return new StepModel(shape, PREFIX, 2 * matrices, memory.trainableValues());
  }

  /**
   * Steps that were measured, of the rows that their slowest rank had: the first eight or the
   * following of the ADGEN rows, or the first two. Products are the median of gemm_benchmark at
   * 1024 rows, likewise.
   */
  @ParameterizedTest
  @CsvSource({
    "full-size, '', 2, 190, 101, 209e9",
    "step, step-auto, 8, 777, 483, 209e9",
    "step, step-avx2, 8, 777, 483, 105e9",
    "step, step-1rank, 8, 702, 439, 209e9"
  })
  void measuredStepsAreAsPredicted(
      String file, String command, int samples, int tokens, int labelled, double products)
      throws IOException {
    JsonObject measured = measurement(file, command);
    Shape shape =
        new Shape(
            measured.get("layers").getAsInt(), 4096, 32, 16_384, measured.get("vocab").getAsInt());
    StepModel model = model(shape);
    int ranks = measured.get("ranks").getAsInt();
    StepTime time =
        model.time(
            new StepShare(samples, tokens, labelled, 1),
            1,
            products,
            CORE_READING,
            model.bytesPerRank(ranks) / Speeds.SHARED_MEMORY.perSecond());
    assertThat(time.total() - time.update())
        .isCloseTo(measured.get("seconds_median").getAsDouble(), Percentage.withPercentage(10));
    assertThat(time.products() + time.reading())
        .isCloseTo(measured.get("gemm_seconds").getAsDouble(), Percentage.withPercentage(10));
    assertThat(time.limit()).isEqualTo(Limit.COMPUTE);
  }

  private static JsonObject measurement(String file, String command) throws IOException {
    Path results = Path.of("../native-ddp/benchmark/results/2026-11-24-" + file + ".jsonl");
    List<JsonObject> lines =
        Files.readAllLines(results).stream()
            .map(line -> JsonParser.parseString(line).getAsJsonObject())
            .filter(line -> line.has("gemm_seconds"))
            .filter(line -> command.isEmpty() || command.equals(text(line, "command")))
            .toList();
    assertThat(lines).hasSize(1);
    return lines.get(0);
  }

  private static String text(JsonObject line, String key) {
    return line.has(key) ? line.get(key).getAsString() : "";
  }

  @Test
  void aRankSendsTwiceTheGradientsButForItsOwnPart() {
    StepModel model = model(REAL);
    assertThat(model.gradientBytes()).isEqualTo(117_440_512);
    assertThat(model.bytesPerRank(1)).isZero();
    assertThat(model.bytesPerRank(2)).isEqualTo(117_440_512);
    assertThat(model.bytesPerRank(8)).isEqualTo(205_520_896);
  }

  @Test
  void everyMicroBatchReadsTheWeightsTwice() {
    StepModel model = new StepModel(REAL, PREFIX, REAL_BYTES, 1);
    StepTime one = model.time(new StepShare(4, 400, 200, 1), 8, 1e12, 76.8e9, 0);
    StepTime three = model.time(new StepShare(4, 400, 200, 3), 8, 1e12, 76.8e9, 0);
    assertThat(one.reading()).isCloseTo(2 * 12.3466 / 76.8, within(1e-4));
    assertThat(three.reading()).isCloseTo(3 * one.reading(), within(1e-9));
    assertThat(three.products()).isEqualTo(one.products());
  }

  @Test
  void whatTakesMostIsTheLimit() {
    StepModel model = new StepModel(REAL, PREFIX, REAL_BYTES, 1);
    StepShare few = new StepShare(1, 20, 10, 1);
    assertThat(model.time(few, 8, 1e12, 76.8e9, 0).limit()).isEqualTo(Limit.BANDWIDTH);
    assertThat(model.time(few, 8, 1e9, 76.8e9, 0).limit()).isEqualTo(Limit.COMPUTE);
    assertThat(model.time(few, 8, 1e12, 409.6e9, 10).limit()).isEqualTo(Limit.NETWORK);
  }

  @Test
  void theLastBackwardHidesTheSumButForOneLayers() {
    StepModel model = new StepModel(REAL, PREFIX, REAL_BYTES, 1);
    StepShare share = new StepShare(4, 400, 200, 1);
    StepTime hidden = model.time(share, 1, 100e9, 10e9, 0.28);
    assertThat(hidden.exposed()).isCloseTo(0.01, within(1e-9));
    assertThat(model.time(share, 1, 100e9, 10e9, 100).exposed())
        .isCloseTo(
            100 - (hidden.products() + hidden.reading() + hidden.other()) / 2 * 27 / 28,
            within(1e-6));
  }

  @Test
  void aProjectedPrefixHasProductsOfItsOwn() {
    StepShare share = new StepShare(4, 400, 200, 1);
    StepTime plain = new StepModel(REAL, PREFIX, REAL_BYTES, 1).time(share, 4, 1e12, 1e11, 0);
    StepTime projected =
        new StepModel(REAL, new Prefix(128, true), REAL_BYTES, 1).time(share, 4, 1e12, 1e11, 0);
    double operations = 6.0 * 128 * 4096 * (4096 + 2 * 28 * 4096);
    assertThat(projected.other() - plain.other()).isCloseTo(operations / 95e9 / 4, within(1e-6));
  }
}
