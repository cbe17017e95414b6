package org.glmtuner.reference;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.glmtuner.SharedData;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.config.EngineConfig.Isa;
import org.glmtuner.config.GenerationConfig.Sampling;
import org.glmtuner.config.Precision;
import org.glmtuner.generation.BatchGenerator;
import org.glmtuner.generation.Decoding;
import org.glmtuner.generation.Prompt;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.model.OfficialWeights;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.model.WeightCache;
import org.glmtuner.nativeddp.WeightListener;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.storage.LocalFolder;
import org.glmtuner.tokenizer.ChatGlmTokenizer;
import org.glmtuner.wire.BaseModel;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All of {@code generation.json}, which holds what the official {@code generate} wrote greedily,
 * with the margin between the two largest logits of each step. A token may differ only where that
 * margin is within the precision's rounding; what follows is another text then and is not compared.
 */
class GoldenGenerationTest {
  /**
   * The smallest margin stored is 1.3e-3: in FP32 nothing may differ. Rounding the weights to BF16
   * moves the difference of two logits by up to 0.1, rounding what meets them by as much again.
   */
  private static double margin(Precision precision, Isa isa) {
    if (precision == Precision.FP32) {
      return 1e-4;
    }
    return isa == Isa.AVX512BF16 || isa == Isa.AMX ? 0.2 : 0.1;
  }

  private static final int MOST = 24;

  @TempDir Path cache;

  private record Case(String name, int[] prompt, int[] expected, double[] margins, String text) {}

  private record Compared(int tokens, int different) {}

  private static Stream<Arguments> prefixesAndPaths() {
    return InstructionPaths.with(
        List.of(
            Arguments.of("base", ""),
            Arguments.of("p8", "prefix-init/p8"),
            Arguments.of("p8-proj", "prefix-init/p8-proj"),
            Arguments.of("p8-trained", "train-p8")));
  }

  @ParameterizedTest
  @MethodSource("prefixesAndPaths")
  void theSmallModelWritesWhatTheOfficialCodeWrites(String name, String prefix, Isa isa)
      throws Exception {
    check(Checkout.goldenSmall(), "small", name, prefix, isa, null);
  }

  @ParameterizedTest
  @MethodSource("prefixesAndPaths")
  void theModelWithTheRealVocabularyWritesWhatTheOfficialCodeWrites(
      String name, String prefix, Isa isa) throws Exception {
    Path golden = SharedData.require("data/golden/vocab");
    LocalFolder real = new LocalFolder(SharedData.require("data/chatglm-6b"));
    try (ChatGlmTokenizer tokenizer = ChatGlmTokenizer.open(real, Path.of("target/native"))) {
      check(golden, "vocab", name, prefix, isa, tokenizer);
    }
  }

  private void check(
      Path golden, String model, String name, String prefix, Isa isa, ChatGlmTokenizer tokenizer)
      throws Exception {
    InstructionPaths.require(isa);
    List<Case> cases = cases(golden, name);
    for (Precision precision : Precision.values()) {
      try (NDManager manager = NativeCode.load().newBaseManager();
          OfficialWeights weights =
              OfficialWeights.open(new LocalFolder(golden.resolve("model")))) {
        ChatGlmConfig config = weights.config();
        Path file = WeightCache.provide(weights, precision, cache, ProgressListener.NONE);
        String json = new String(config.toJson(), StandardCharsets.UTF_8);
        NDArray keysAndValues =
            prefix.isEmpty() ? null : keysAndValues(golden.resolve(prefix), config, manager);
        try (FrozenTransformer transformer =
            FrozenTransformer.open(
                new BaseModel(file.toString(), "", json, 2, isa, RankPlacement.MAPPED),
                config,
                WeightListener.NONE)) {
          for (int batch : new int[] {1, 3, 32}) {
            BatchGenerator generator =
                new BatchGenerator(
                    transformer.sequences(keysAndValues),
                    config.specialIds().eop(),
                    new Decoding(new Sampling(false, 1, 0, 1, 1, 42), MOST, batch, 1024));
            List<int[]> got =
                generator.complete(
                    IntStream.range(0, cases.size())
                        .mapToObj(i -> new Prompt(i, cases.get(i).prompt()))
                        .toList());
            double margin = margin(precision, isa);
            Compared compared = compare(cases, got, config, margin, tokenizer);
            GoldenTable.check(
                "%s/generation %s, %s %s, batches of %d"
                    .formatted(model, name, precision, isa.label(), batch),
                "tokens that differ, of %d with a margin above %.0e"
                    .formatted(compared.tokens(), margin),
                0,
                compared.different(),
                0);
          }
        }
      }
    }
  }

  private static Compared compare(
      List<Case> cases,
      List<int[]> got,
      ChatGlmConfig config,
      double margin,
      ChatGlmTokenizer tokenizer) {
    int tokens = 0;
    int different = 0;
    for (int i = 0; i < cases.size(); i++) {
      Case one = cases.get(i);
      int same = Arrays.mismatch(one.expected(), got.get(i));
      tokens += same < 0 ? one.expected().length : same;
      if (same >= 0 && one.margins()[same] > margin) {
        different++;
        System.err.println("MARGIN " + one.margins()[same] + " " + one.name() + " at " + same);
      }
      if (same < 0 && tokenizer != null) {
        assertThat(tokenizer.decode(got.get(i))).as(one.name()).isEqualTo(one.text());
      }
      assertThat(got.get(i)).doesNotContain(config.specialIds().eop());
    }
    assertThat(tokens).isGreaterThan(cases.size() * MOST / 3);
    return new Compared(tokens, different);
  }

  /** The prompts of a name, those of a batch each for itself, without padding. */
  private static List<Case> cases(Path golden, String name) throws Exception {
    JsonObject all =
        JsonParser.parseString(Files.readString(golden.resolve("generation.json")))
            .getAsJsonObject();
    ChatGlmConfig config =
        ChatGlmConfig.parse(Files.readAllBytes(golden.resolve("model/config.json")), "config.json");
    List<Case> cases = new ArrayList<>();
    for (JsonElement element : all.getAsJsonArray(name)) {
      JsonObject group = element.getAsJsonObject();
      for (int row = 0; row < group.getAsJsonArray("input_ids").size(); row++) {
        int at = row;
        int[] prompt = ints(group.getAsJsonArray("input_ids").get(row));
        int[] newIds = ints(group.getAsJsonArray("new_ids").get(row));
        double[] margins =
            StreamSupport.stream(
                    group.getAsJsonArray("top1_minus_top2_per_step").spliterator(), false)
                .mapToDouble(step -> step.getAsJsonArray().get(at).getAsDouble())
                .toArray();
        int end =
            IntStream.range(0, newIds.length)
                .filter(i -> newIds[i] == config.specialIds().eop())
                .findFirst()
                .orElse(newIds.length);
        int begin = 0;
        while (prompt[begin] == config.specialIds().pad()) {
          begin++;
        }
        JsonElement texts = group.get("texts");
        cases.add(
            new Case(
                group.get("name").getAsString() + " " + row,
                Arrays.copyOfRange(prompt, begin, prompt.length),
                Arrays.copyOf(newIds, end),
                margins,
                texts.isJsonNull() ? null : ((JsonArray) texts).get(row).getAsString()));
      }
    }
    assertThat(cases).hasSizeGreaterThanOrEqualTo(4);
    return cases;
  }

  private static int[] ints(JsonElement array) {
    return StreamSupport.stream(array.getAsJsonArray().spliterator(), false)
        .mapToInt(JsonElement::getAsInt)
        .toArray();
  }

  /** The oracle's keys and values of a prefix, [L, 2, P, H]. */
  private static NDArray keysAndValues(Path directory, ChatGlmConfig config, NDManager manager)
      throws Exception {
    Path file =
        Stream.of("prefix.safetensors", "prefix_final.safetensors")
            .map(directory::resolve)
            .filter(Files::exists)
            .findFirst()
            .orElseThrow();
    Map<String, NDArray> tensors = ReferenceWeights.read(file, manager);
    NDArray output = ReferenceEncoder.keysAndValues(tensors, config);
    return output.flatten().reshape(output.getShape()); // in order, as native code needs it
  }
}
