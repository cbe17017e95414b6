package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.glmtuner.SharedData;
import org.glmtuner.sample.FullSizeModel;
import org.junit.jupiter.api.Test;

class ShardPlanTest {
  private static TensorSpec bytes(String name, long bytes) {
    return TensorSpec.of(name, DType.U8, bytes);
  }

  @Test
  void startsANewFileWhereTheNextTensorWouldMakeTheLastTooLong() {
    ShardPlan plan =
        ShardPlan.of(
            TensorFormat.SAFETENSORS,
            List.of(bytes("a", 60), bytes("b", 40), bytes("c", 1), bytes("d", 500), bytes("e", 1)),
            100);
    assertThat(plan.shards().stream().map(shard -> shard.stream().map(TensorSpec::name).toList()))
        .containsExactly(List.of("a", "b"), List.of("c"), List.of("d"), List.of("e"));
    assertThat(plan.fileName(1)).isEqualTo("model-00002-of-00004.safetensors");
  }

  @Test
  void oneFileNeedsNoNumberAndNoIndex() {
    ShardPlan plan = ShardPlan.of(TensorFormat.TORCH, List.of(bytes("a", 60)), 10);
    assertThat(plan.fileName(0)).isEqualTo("pytorch_model.bin");
    assertThat(plan.hasIndex()).isFalse();
  }

  @Test
  void theIndexNamesTheFileOfEachTensorAndOfThoseTiedToOne() {
    ShardPlan plan = ShardPlan.of(TensorFormat.TORCH, List.of(bytes("a", 60), bytes("b", 41)), 100);
    JsonObject index = json(new String(plan.index(Map.of("c", "b")), StandardCharsets.UTF_8));
    assertThat(index.getAsJsonObject("metadata").get("total_size").getAsLong()).isEqualTo(101);
    assertThat(index.getAsJsonObject("weight_map").asMap().toString())
        .isEqualTo(
            "{a=\"pytorch_model-00001-of-00002.bin\", b=\"pytorch_model-00002-of-00002.bin\","
                + " c=\"pytorch_model-00002-of-00002.bin\"}");
  }

  @Test
  void theFullSizeModelHasTheNamesAndShardsOfTheRealOne() throws IOException {
    String real =
        Files.readString(SharedData.require("data/chatglm-6b/pytorch_model.bin.index.json"));
    ShardPlan plan = FullSizeModel.plan();
    assertThat(json(new String(plan.index(Map.of()), StandardCharsets.UTF_8)).get("weight_map"))
        .isEqualTo(json(real).get("weight_map"));
  }

  private static JsonObject json(String text) {
    return JsonParser.parseString(text).getAsJsonObject();
  }
}
