package org.glmtuner.planning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.glmtuner.planning.Plans.plan;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.glmtuner.topology.Topology;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanJsonTest {
  @TempDir static Path cache;
  private static Topology flat;

  @BeforeAll
  static void readTopology() throws Exception {
    flat = Machines.xeonMax("flat", cache);
  }

  private static JsonObject json(Plan plan) {
    return JsonParser.parseString(plan.toJson()).getAsJsonObject();
  }

  @Test
  void itHasWhatProgramsLookFor() {
    Plan plan = plan(flat);
    JsonObject json = json(plan);
    assertThat(json.get("world_size").getAsInt()).isEqualTo(8);
    JsonObject rank = json.getAsJsonArray("ranks").get(7).getAsJsonObject();
    assertThat(rank.get("host").getAsInt()).isZero();
    assertThat(rank.get("cores").getAsInt()).isEqualTo(8);
    assertThat(rank.get("numa_node").getAsInt()).isEqualTo(7);
    assertThat(rank.get("memory").getAsLong()).isEqualTo(plan.ranks().get(7).memory());
    JsonObject weights = json.getAsJsonObject("weights");
    assertThat(weights.get("mode").getAsString()).isEqualTo("per-node");
    assertThat(weights.get("kind").getAsString()).isEqualTo("hbm");
    assertThat(weights.get("bytes").getAsLong()).isEqualTo(8 * Plans.MODEL.weightBytes());
    assertThat(weights.get("copies").getAsInt()).isEqualTo(8);
    assertThat(weights.get("reason").getAsString()).isEqualTo(plan.placement().reason());
    assertThat(weights.getAsJsonArray("nodes").toString()).isEqualTo("[8,9,10,11,12,13,14,15]");
    assertThat(json.get("step_seconds").getAsDouble()).isEqualTo(plan.step().time().total());
    assertThat(json.get("limit").getAsString()).isEqualTo("compute");
    assertThat(json.getAsJsonObject("host").get("hbm_mode").getAsString()).isEqualTo("flat");
    assertThat(json.get("checkpoint_bytes").getAsLong()).isEqualTo(4 * 117_440_512L);
  }

  @Test
  void memoryIsToldByNode() {
    Plan plan = plan(flat);
    JsonArray memory = json(plan).getAsJsonArray("memory");
    assertThat(memory).hasSize(8);
    for (int i = 0; i < 8; i++) {
      assertThat(memory.get(i).toString())
          .isEqualTo(
              "{\"node\":%d,\"kind\":\"hbm\",\"bytes\":17179869184,\"weights\":%d,\"ranks\":%d}",
              8 + i, Plans.MODEL.weightBytes(), plan.ranks().get(i).memory());
    }
  }

  @Test
  void theNetworksShareIsOfTheWholeStep() {
    Plan plan = plan(flat, 2);
    JsonObject network = json(plan).getAsJsonObject("network");
    assertThat(network.get("bytes_per_rank").getAsLong()).isEqualTo(117_440_512L * 2 * 15 / 16);
    assertThat(network.get("bytes_per_host")).isEqualTo(network.get("bytes_per_rank"));
    assertThat(network.get("seconds").getAsDouble()).isCloseTo(0.2202 / 1.25, within(1e-4));
    assertThat(network.get("share").getAsDouble())
        .isCloseTo(0.17616 / plan.step().time().total(), within(1e-5))
        .isBetween(0.001, 0.999);
    assertThat(network.get("exposed_seconds").getAsDouble())
        .isEqualTo(plan.step().time().exposed())
        .isCloseTo(0.17616 / 28, within(1e-5));
    JsonObject alone = json(plan(flat, "ranks.count=1")).getAsJsonObject("network");
    assertThat(alone.get("bytes_per_rank").getAsLong()).isZero();
    assertThat(alone.get("share").getAsDouble()).isZero();
  }

  @Test
  void sparksSettingsAreThoseOfTheText() {
    Plan plan = plan(flat, 3, "ranks.count=8");
    JsonObject spark = json(plan).getAsJsonObject("spark");
    JsonObject conf = spark.getAsJsonObject("conf");
    assertThat(conf.keySet()).hasSize(5);
    for (Map.Entry<String, String> setting : plan.spark().conf().entrySet()) {
      assertThat(conf.get(setting.getKey()).getAsString()).isEqualTo(setting.getValue());
    }
    assertThat(spark.get("ranks.count").getAsInt()).isEqualTo(8);
    assertThat(spark.get("ranks.cores").getAsInt()).isEqualTo(8);
    assertThat(spark.getAsJsonObject("memory_overhead").get("resident").getAsLong())
        .isEqualTo(plan.spark().overheads().resident());
  }

  @Test
  void allNumbersAreNumbersWhateverRatesAreGiven() {
    for (double rate : new double[] {1e3, 1e18}) {
      Speeds.Rate same = new Speeds.Rate(rate, "given");
      Speeds speeds =
          new Speeds(same, Optional.empty(), Optional.of(same), Speeds.SHARED_MEMORY, same);
      JsonObject json = json(plan(flat, 2, speeds, "training.max-steps=2000000000"));
      assertThat(primitives(json).filter(JsonPrimitive::isNumber).map(JsonPrimitive::getAsDouble))
          .hasSizeGreaterThan(100)
          .allSatisfy(number -> assertThat(number).isFinite().isNotNegative());
    }
  }

  private static Stream<JsonPrimitive> primitives(JsonElement element) {
    if (element.isJsonObject()) {
      return element.getAsJsonObject().entrySet().stream().flatMap(e -> primitives(e.getValue()));
    }
    return element.isJsonArray()
        ? StreamSupport.stream(element.getAsJsonArray().spliterator(), false)
            .flatMap(PlanJsonTest::primitives)
        : Stream.of(element.getAsJsonPrimitive());
  }
}
