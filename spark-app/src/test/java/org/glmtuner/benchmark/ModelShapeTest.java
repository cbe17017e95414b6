package org.glmtuner.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.config.EngineConfig;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TrainingConfig.LossAverage;
import org.glmtuner.data.Sample;
import org.glmtuner.data.TrainingRow;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.model.RandomWeights;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.nativeddp.PrefixDropout;
import org.glmtuner.nativeddp.WeightListener;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.reference.NativeCode;
import org.glmtuner.wire.BaseModel;
import org.glmtuner.wire.Entry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelShapeTest {
  private static final ModelShape REAL = new ModelShape(28, 4096, 32, 16384, 130_528, 128);

  private static ModelShape ofVocabulary(int vocabulary) {
    return new ModelShape(2, 64, 4, 256, vocabulary, 8);
  }

  @Test
  void idsAreFoldedAndSpecialOnesMoveToTheEnd() {
    TrainingRow row =
        new TrainingRow(
            new int[] {5, 65_421, 130_001, 130_004, 81_000, 130_005, 3},
            new int[] {-100, -100, -100, 130_004, 81_000, 130_005, -100});
    TrainingRow folded = ofVocabulary(8192).fold(row);
    assertThat(folded.inputIds())
        .containsExactly(
            5 + 5, 5 + 65_421 % 8172, 8192 - 7, 8192 - 4, 5 + 81_000 % 8172, 8192 - 3, 3);
    assertThat(folded.labels())
        .containsExactly(-100, -100, -100, 8192 - 4, 5 + 81_000 % 8172, 8192 - 3, -100);
  }

  @Test
  void theRealVocabularyStaysAsItIs() {
    TrainingRow row = new TrainingRow(new int[] {5, 130_001, 3}, new int[] {-100, 7, -100});
    assertThat(REAL.fold(row)).isEqualTo(row);
    assertThat(REAL.config().specialIds())
        .isEqualTo(new SpecialIds(130_000, 130_001, 130_004, 130_005, 3));
    assertThat(ofVocabulary(64).config().specialIds()).isEqualTo(new SpecialIds(56, 57, 60, 61, 3));
  }

  @Test
  void impossibleVocabulariesAreRefused() {
    assertThatThrownBy(() -> ofVocabulary(20))
        .hasMessage("Invalid --vocab: 20 (from 32 to 130528)");
  }

  @Test
  void aMiddleLayerTakesTheKnownOperations() {
    Sample sample = sample(40, 60);
    ModelShape more = new ModelShape(29, 4096, 32, 16384, 130_528, 128);
    double layer = more.operations(sample) - REAL.operations(sample);
    assertThat(layer / (sample.length() - 1)).isCloseTo(2 * 402.653184e6, within(1.0));
  }

  /** The engine counts what it multiplies. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void theEngineDoesNoMoreThanItNeeds(int layers, @TempDir Path cache) throws Exception {
    NativeCode.load();
    ModelShape shape = new ModelShape(layers, 64, 4, 256, 512, 8);
    ChatGlmConfig config = shape.config();
    Path weights = RandomWeights.provide(config, Precision.BF16, 7, cache, ProgressListener.NONE);
    BaseModel base =
        new BaseModel(
            weights.toString(),
            "",
            new String(config.toJson(), StandardCharsets.UTF_8),
            1,
            EngineConfig.Isa.GENERIC,
            RankPlacement.MAPPED);
    List<Entry> entries =
        List.of(
            new Entry(0, sample(5, 9)), new Entry(1, sample(12, 3)), new Entry(2, sample(2, 2)));
    try (NDManager manager = NDManager.newBaseManager();
        FrozenTransformer transformer = FrozenTransformer.open(base, config, WeightListener.NONE)) {
      NDArray prefix = manager.randomNormal(new Shape(layers, 2, 8, 64));
      transformer.forwardBackward(
          entries,
          LossAverage.SAMPLE,
          prefix,
          PrefixDropout.NONE,
          manager.zeros(prefix.getShape()),
          null);
      double needed = entries.stream().mapToDouble(e -> shape.operations(e.sample())).sum();
      assertThat(transformer.products().operations()).isEqualTo(needed);
    }
  }

  /** With this many tokens of prompt, sop among them, and of response. */
  private static Sample sample(int prompt, int response) {
    int[] ids = new int[prompt + response];
    int[] labels = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = 5 + i;
      labels[i] = i < prompt - 1 ? Sample.IGNORED : ids[i];
    }
    return new Sample(0, ids, labels, prompt - 1, prompt - 2);
  }
}
