package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.reference.NativeCode;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrefixEncoderTest {
  private static final int LENGTH = 128;

  private NDManager manager;
  private ChatGlmConfig config;

  @BeforeEach
  void open() throws Exception {
    manager = NativeCode.load().newBaseManager();
    config = ChatGlmConfig.read(new LocalFolder(Checkout.goldenSmall().resolve("model")));
  }

  @AfterEach
  void close() {
    manager.close();
  }

  private PrefixEncoder encoder(boolean projection, long seed) {
    PrefixEncoder encoder = PrefixEncoder.create(manager, config, new Prefix(LENGTH, projection));
    encoder.initialise(seed);
    return encoder;
  }

  private static double[] sorted(NDArray array) {
    float[] values = array.toFloatArray();
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).sorted().toArray();
  }

  @Test
  void anOfficialCopyStaysWhatItWas() {
    for (int length : new int[] {1, LENGTH}) {
      for (boolean projection : new boolean[] {false, true}) {
        PrefixEncoder encoder =
            PrefixEncoder.create(manager, config, new Prefix(length, projection));
        encoder.initialise(42);
        NDArray parameter = encoder.parameters().get(PrefixTensor.EMBEDDING);
        NDArray copy = encoder.official(parameter, manager);
        float[] before = copy.toFloatArray();
        parameter.addi(1);
        assertThat(copy.toFloatArray()).as("length %d", length).isEqualTo(before);
      }
    }
  }

  @Test
  void theEmbeddingStartsStandardNormal() {
    for (boolean projection : new boolean[] {false, true}) {
      double[] values = sorted(encoder(projection, 42).parameters().get(PrefixTensor.EMBEDDING));
      double[] quantiles = {-1.6449, -0.6745, 0, 0.6745, 1.6449};
      double[] shares = {0.05, 0.25, 0.5, 0.75, 0.95};
      for (int i = 0; i < shares.length; i++) {
        assertThat(values[(int) (shares[i] * values.length)]).isCloseTo(quantiles[i], within(0.08));
      }
    }
  }

  @Test
  void linearLayersStartEvenlySpreadUpToOneByTheRootOfTheirInputs() {
    double bound = 1 / Math.sqrt(config.hiddenSize());
    Map<String, NDArray> parameters = encoder(true, 42).parameters();
    for (String name : List.of(PrefixTensor.HIDDEN_WEIGHT, PrefixTensor.OUTPUT_WEIGHT)) {
      double[] values = sorted(parameters.get(name));
      assertThat(values[0]).isBetween(-bound, -0.99 * bound);
      assertThat(values[values.length - 1]).isBetween(0.99 * bound, bound);
      for (double share : new double[] {0.25, 0.5, 0.75}) {
        assertThat(values[(int) (share * values.length)])
            .isCloseTo((2 * share - 1) * bound, within(0.05 * bound));
      }
    }
    for (String name : List.of(PrefixTensor.HIDDEN_BIAS, PrefixTensor.OUTPUT_BIAS)) {
      double[] values = sorted(parameters.get(name));
      assertThat(values[0]).isBetween(-bound, -0.8 * bound);
      assertThat(values[values.length - 1]).isBetween(0.8 * bound, bound);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aSeedGivesTheSameValuesAgainAndAnotherOneOthers(boolean projection) {
    PrefixEncoder first = encoder(projection, 1);
    PrefixEncoder same = encoder(projection, 1);
    PrefixEncoder other = encoder(projection, 2);
    first
        .parameters()
        .forEach(
            (name, value) -> {
              float[] values = value.toFloatArray();
              assertThat(same.parameters().get(name).toFloatArray()).containsExactly(values);
              assertThat(other.parameters().get(name).toFloatArray()).isNotEqualTo(values);
            });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void stepsLeaveNothingBehindInTheManager(boolean projection) {
    PrefixEncoder encoder = encoder(projection, 1);
    NDArray gradient = manager.ones(encoder.keysAndValues(manager).getShape());
    int before = manager.getManagedArrays().size();
    Map<String, NDArray> gradients = encoder.gradients(gradient);
    assertThat(gradients.keySet()).containsExactlyElementsOf(encoder.parameters().keySet());
    gradients.forEach(
        (name, g) -> assertThat(g.getShape()).isEqualTo(encoder.parameters().get(name).getShape()));
    gradients.values().forEach(NDArray::close);
    encoder.keysAndValues(manager).close();
    assertThat(manager.getManagedArrays()).hasSize(before);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsFilledInTheOfficialLayoutIsReadInIt(boolean projection) {
    PrefixEncoder encoder = encoder(projection, 1);
    encoder
        .parameters()
        .forEach(
            (name, parameter) -> {
              NDArray official =
                  manager.arange((float) parameter.size()).toType(DataType.FLOAT32, true);
              encoder.fill(
                  parameter,
                  array -> {
                    assertThat(array.getShape().getShape())
                        .containsExactly(officialShape(name, projection));
                    array.set(FloatBuffer.wrap(official.toFloatArray()));
                  });
              NDArray back = encoder.official(parameter, manager);
              assertThat(back.getShape().getShape())
                  .containsExactly(officialShape(name, projection));
              assertThat(Arrays.equals(back.toFloatArray(), official.toFloatArray())).isTrue();
            });
  }

  private long[] officialShape(String name, boolean projection) {
    return PrefixTensor.of(config, new Prefix(LENGTH, projection)).stream()
        .filter(tensor -> tensor.name().equals(name))
        .flatMapToLong(tensor -> tensor.shape().stream().mapToLong(Long::longValue))
        .toArray();
  }

  @Test
  void theEmbeddingsRowsAreTheKeysAndValuesOfAllLayers() {
    PrefixEncoder encoder = encoder(false, 1);
    NDArray embedding = encoder.parameters().get(PrefixTensor.EMBEDDING);
    float[] rows = encoder.official(embedding, manager).toFloatArray();
    NDArray keysAndValues = encoder.keysAndValues(manager);
    int layers = config.numLayers();
    int hidden = config.hiddenSize();
    assertThat(keysAndValues.getShape()).isEqualTo(new Shape(layers, 2, LENGTH, hidden));
    float[] values = keysAndValues.toFloatArray();
    for (int layer = 0; layer < layers; layer++) {
      for (int part = 0; part < 2; part++) {
        for (int p = 0; p < LENGTH; p++) {
          for (int h = 0; h < hidden; h++) {
            assertThat(values[((layer * 2 + part) * LENGTH + p) * hidden + h])
                .isEqualTo(rows[((p * layers + layer) * 2 + part) * hidden + h]);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void gradientsOfTheRealModelAreSummedOverRanksWhereEncoderAndTransformerMeet(boolean projection) {
    ChatGlmConfig real = ModelShapes.chatGlm6b();
    Prefix prefix = new Prefix(LENGTH, projection);
    assertThat(PrefixEncoder.boundary(real, prefix)).isEqualTo(new Shape(28, 2, 128, 4096));
    assertThat(PrefixEncoder.boundary(real, prefix).size() * Float.BYTES).isEqualTo(117_440_512);
    assertThat(PrefixTensor.values(real.numLayers(), real.hiddenSize(), prefix) * Float.BYTES)
        .isEqualTo(projection ? 3_828_236_288L : 117_440_512L);
  }

  @Test
  void theMemoryOfAnArrayIsReadAndWrittenInPieces() {
    NDArray array = manager.arange(7).reshape(7, 1).toType(DataType.FLOAT32, true);
    List<ByteBuffer> pieces = ArrayMemory.pieces(array, 3);
    assertThat(pieces.stream().map(ByteBuffer::remaining)).containsExactly(12, 12, 4);
    assertThat(pieces.get(1).getFloat(4)).isEqualTo(4);
    pieces.get(2).putFloat(0, -1);
    assertThat(array.toFloatArray()).containsExactly(0, 1, 2, 3, 4, 5, -1);
  }
}
