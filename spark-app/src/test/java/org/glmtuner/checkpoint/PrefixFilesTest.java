package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrefixFilesTest {
  private static final int LENGTH = 2;

  @TempDir Path directory;
  private ChatGlmConfig base;
  private LocalFolder folder;
  private float[] values;

  @BeforeEach
  void writeCheckpoint() throws IOException {
    base = ChatGlmConfig.read(new LocalFolder(Checkout.goldenSmall().resolve("model")));
    folder = new LocalFolder(directory);
    values = new float[LENGTH * 2 * base.numLayers() * base.hiddenSize()];
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < values.length; i++) {
      values[i] = i / 7f;
      bytes.putFloat(values[i]);
    }
    bytes.flip();
    new PrefixFiles(base, LENGTH, "mine", 40)
        .write(
            directory,
            Map.of(PrefixEncoder.EMBEDDING, bytes),
            Map.of(PrefixEncoder.EMBEDDING + ".exp_avg", bytes.duplicate()));
  }

  @Test
  void bothFormsHoldTheSameValuesUnderTheOfficialName() throws IOException {
    for (String file : new String[] {PrefixFiles.PREFIX, PrefixFiles.OFFICIAL}) {
      FloatBuffer read = FloatBuffer.allocate(values.length);
      PrefixFiles.read(
          directory.resolve(file), PrefixEncoder.EMBEDDING, read, LENGTH, values.length / LENGTH);
      assertThat(read.array()).containsExactly(values);
    }
    assertThat(ChatGlmConfig.read(folder).prefix())
        .contains(new ChatGlmConfig.Prefix(LENGTH, false));
  }

  @Test
  void aCheckpointOfTheSameBaseAndLengthFits() {
    assertThatCode(() -> PrefixFiles.check(folder, base, LENGTH, "mine"))
        .doesNotThrowAnyException();
  }

  @Test
  void aCheckpointOfAnotherBaseIsRefusedWithBothFingerprints() {
    assertThatThrownBy(() -> PrefixFiles.check(folder, base, LENGTH, "other"))
        .isInstanceOf(TunerException.class)
        .hasMessageContaining(PrefixFiles.PREFIX)
        .hasMessageEndingWith("it was trained on the base mine, model.path is the base other");
  }

  @Test
  void aPrefixOfAnotherLengthIsRefusedWithBothShapes() {
    assertThatThrownBy(() -> PrefixFiles.check(folder, base, LENGTH + 1, "mine"))
        .hasMessageEndingWith("has the shape [2, 384], the model and prefix.length need [3, 384]");
  }

  @Test
  void aProjectedPrefixIsRefused(@TempDir Path projected) throws IOException {
    TensorFiles.writeTorch(
        projected.resolve(PrefixFiles.OFFICIAL),
        Map.of(
            TensorSpec.of(PrefixEncoder.CHECKPOINT_PREFIX + "trans.0.weight", DType.F32, 2, 2),
            new float[4]));
    assertThatThrownBy(() -> PrefixFiles.check(new LocalFolder(projected), base, LENGTH, "mine"))
        .hasMessageEndingWith(
            "its prefix has a projection (this version trains prefixes without one)");
  }

  @Test
  void aDirectoryWithoutAPrefixIsRefused(@TempDir Path empty) {
    assertThatThrownBy(() -> PrefixFiles.check(new LocalFolder(empty), base, LENGTH, "mine"))
        .hasMessageEndingWith("it has neither prefix.safetensors nor pytorch_model.bin");
  }
}
