package org.glmtuner.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorFormat;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.LocalFolder;
import org.glmtuner.storage.NewDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelCopyTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden/small");

  @TempDir Path directory;

  private Path copy(Path source, TensorFormat format, long shardBytes, String name)
      throws IOException {
    Path target = directory.resolve(name);
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(source));
        NewDirectory created = NewDirectory.at(target.toString())) {
      ModelCopy.write(weights, format, shardBytes, created, ProgressListener.NONE);
      created.publish();
    }
    return target;
  }

  /** The same tensors with the same types and bits; the output matrix may be left to the tie. */
  private static void assertSame(Path one, Path other) throws IOException {
    try (OfficialWeights expected = OfficialWeights.open(new LocalFolder(one));
        OfficialWeights found = OfficialWeights.open(new LocalFolder(other))) {
      assertThat(found.names()).isSubsetOf(expected.names());
      for (String name : expected.names()) {
        if (name.equals(ModelTensor.HEAD) && found.headFile().isEmpty()) {
          continue;
        }
        TensorFile file = expected.file(name);
        assertThat(found.file(name).get(name)).isEqualTo(file.get(name));
        assertThat(bytes(found.file(name), name)).as(name).isEqualTo(bytes(file, name));
      }
    }
  }

  private static ByteBuffer bytes(TensorFile file, String name) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) file.get(name).bytes());
    file.readBytes(name, 0, bytes);
    return bytes.flip();
  }

  @Test
  void everyFormKeepsEveryBitOfShardsWithMixedTypes() throws IOException {
    Path source = GOLDEN.resolve("model-fp16-sharded");
    Path safetensors = copy(source, TensorFormat.SAFETENSORS, 30_000, "safetensors");
    Path torch = copy(safetensors, TensorFormat.TORCH, 50_000, "torch");
    Path single = copy(torch, TensorFormat.SAFETENSORS, Long.MAX_VALUE, "single");
    assertThat(safetensors.resolve("model.safetensors.index.json")).exists();
    assertThat(torch.resolve("pytorch_model.bin.index.json")).exists();
    assertThat(single.resolve("model.safetensors")).exists();
    for (Path form : List.of(safetensors, torch, single)) {
      assertSame(source, form);
      assertThat(form.resolve("config.json")).hasSameBinaryContentAs(source.resolve("config.json"));
    }
  }

  @Test
  void aTiedPairStaysOneStorageInTorchAndIsOneTensorInSafetensors() throws IOException {
    Path source = GOLDEN.resolve("model");
    Path torch = copy(source, TensorFormat.TORCH, Long.MAX_VALUE, "torch");
    assertSame(source, torch);
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(torch))) {
      TensorFile file = weights.headFile().orElseThrow();
      assertThat(file.sharesStorage(ModelTensor.HEAD, file, ModelTensor.EMBEDDING)).isTrue();
    }
    Path safetensors = copy(source, TensorFormat.SAFETENSORS, Long.MAX_VALUE, "safetensors");
    assertSame(source, safetensors);
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(safetensors))) {
      assertThat(weights.headFile()).isEmpty();
    }
    Path shards = copy(source, TensorFormat.TORCH, 100_000, "shards");
    assertSame(source, shards);
    try (OfficialWeights weights = OfficialWeights.open(new LocalFolder(shards))) {
      assertThat(weights.headFile()).isPresent();
    }
  }

  @Test
  void weightsThatAreNotFiniteLeaveNothing() throws IOException {
    Path source = directory.resolve("source");
    Map<TensorSpec, float[]> tensors = ModelFiles.tensors();
    ModelFiles.find(tensors, "transformer.layers.1.mlp.dense_h_to_4h.bias").getValue()[5] =
        Float.NaN;
    ModelFiles.write(source, tensors);
    assertThatThrownBy(() -> copy(source, TensorFormat.SAFETENSORS, 3000, "copy"))
        .isInstanceOf(TunerException.class)
        .hasMessage(
            "Cannot use tensor transformer.layers.1.mlp.dense_h_to_4h.bias of %s/pytorch_model.bin:"
                + " element 5 is NaN (all must be finite)",
            source);
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left).containsExactly(source);
    }
  }

  @Test
  void nothingIsOverwritten() throws IOException {
    Files.writeString(directory.resolve("copy"), "precious");
    assertThatThrownBy(
            () -> copy(GOLDEN.resolve("model"), TensorFormat.TORCH, Long.MAX_VALUE, "copy"))
        .hasMessage("Invalid path: %s/copy (it exists, and nothing is overwritten)", directory);
    assertThat(directory.resolve("copy")).hasContent("precious");
  }
}
