package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;
import org.apache.commons.compress.utils.SeekableInMemoryByteChannel;
import org.glmtuner.SharedData;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchArchiveWriterTest {
  private static final Path RESOURCES = Path.of("src/test/resources/golden/small");

  @Test
  void writesAPrefixAsTheOfficialTrainerDoesByteForByte() throws IOException {
    rewritten(RESOURCES.resolve("prefix-init/p8"), "pytorch_model", Map.of());
    rewritten(RESOURCES.resolve("prefix-init/p8-proj"), "pytorch_model", Map.of());
  }

  @Test
  void writesAModelWithATiedHeadAsPyTorchDoesByteForByte() throws IOException {
    rewritten(
        SharedData.require("data/golden/small/model"),
        "pytorch_model",
        Map.of("lm_head.weight", "transformer.word_embeddings.weight"));
  }

  @Test
  void writesMixedTypesAsPyTorchDoesByteForByte() throws IOException {
    for (int shard = 1; shard <= 5; shard++) {
      rewritten(
          RESOURCES.resolve("model-fp16-sharded"),
          "pytorch_model-0000" + shard + "-of-00005",
          Map.of());
    }
  }

  /** Reads the archive, writes its tensors anew, and compares the two files. */
  private static void rewritten(Path directory, String root, Map<String, String> tied)
      throws IOException {
    byte[] expected = Files.readAllBytes(directory.resolve(root + ".bin"));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TensorFile source = TensorFile.open(new LocalFolder(directory), root + ".bin")) {
      List<TensorSpec> tensors =
          source.tensors().stream().filter(tensor -> !tied.containsKey(tensor.name())).toList();
      try (TorchArchiveWriter writer =
          new TorchArchiveWriter(Channels.newChannel(out), root, tensors, tied)) {
        for (TensorSpec tensor : tensors) {
          ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes());
          source.readBytes(tensor.name(), 0, bytes);
          writer.append(tensor.name(), bytes.flip());
        }
        writer.finish();
      }
    }
    assertThat(withoutSerializationId(out.toByteArray(), root))
        .isEqualTo(withoutSerializationId(expected, root));
  }

  /** Blanks out the 40 digits of the id and their sum, in the descriptor and the directory. */
  private static byte[] withoutSerializationId(byte[] archive, String root) throws IOException {
    ByteBuffer copy = ByteBuffer.wrap(archive.clone());
    try (ZipFile zip =
        ZipFile.builder()
            .setSeekableByteChannel(new SeekableInMemoryByteChannel(archive.clone()))
            .get()) {
      ZipArchiveEntry id = zip.getEntry(root + "/.data/serialization_id");
      assertThat(id.getSize()).isEqualTo(40);
      assertThat(new String(archive, (int) id.getDataOffset(), 40, StandardCharsets.US_ASCII))
          .matches("\\d{40}");
      copy.position((int) id.getDataOffset()).put(new byte[40]).position(copy.position() + 4);
      copy.putInt(0);
    }
    byte[] name = (root + "/.data/serialization_id").getBytes(StandardCharsets.US_ASCII);
    int inDirectory =
        IntStream.iterate(archive.length - name.length, i -> i - 1)
            .filter(i -> Arrays.equals(archive, i, i + name.length, name, 0, name.length))
            .findFirst()
            .orElseThrow();
    return copy.putInt(inDirectory - 46 + 16, 0).array();
  }

  @Test
  void readsBackWhatItWroteWhateverThePieces(@TempDir Path directory) throws IOException {
    Map<TensorSpec, float[]> tensors = new LinkedHashMap<>();
    Random random = new Random(7);
    long[][] shapes = {{}, {1}, {255}, {3, 5}, {2, 3, 4}, {1, 2, 3, 2}, {300, 700}, {0, 4}};
    for (int i = 0; i < shapes.length; i++) {
      TensorSpec spec = TensorSpec.of("tensor." + i, DType.F32, shapes[i]);
      tensors.put(spec, TensorFiles.random(random, spec.elements()));
    }
    try (TorchArchiveWriter writer =
        new TorchArchiveWriter(
            TensorFiles.create(directory.resolve("a.bin")), "a", List.copyOf(tensors.keySet()))) {
      for (Map.Entry<TensorSpec, float[]> tensor : tensors.entrySet()) {
        for (int done = 0; done < tensor.getValue().length; ) {
          int now = Math.min(1 + random.nextInt(100_000), tensor.getValue().length - done);
          writer.append(
              tensor.getKey().name(), Arrays.copyOfRange(tensor.getValue(), done, done + now));
          done += now;
        }
      }
      writer.finish();
    }
    try (TensorFile file = TensorFile.open(new LocalFolder(directory), "a.bin")) {
      assertThat(file.tensors()).containsExactlyElementsOf(tensors.keySet());
      for (Map.Entry<TensorSpec, float[]> tensor : tensors.entrySet()) {
        assertThat(file.readFloats(tensor.getKey().name())).isEqualTo(tensor.getValue());
        assertThat(file.position(tensor.getKey().name()) % 64).isZero();
      }
    }
  }

  @Test
  void keepsSeveralThousandTensorsInOrder(@TempDir Path directory) throws IOException {
    List<TensorSpec> tensors =
        IntStream.range(0, 2500).mapToObj(i -> TensorSpec.of("t" + i, DType.F16, 2)).toList();
    try (TorchArchiveWriter writer =
        new TorchArchiveWriter(TensorFiles.create(directory.resolve("a.bin")), "a", tensors)) {
      for (int i = 0; i < tensors.size(); i++) {
        writer.append("t" + i, new float[] {i, -i});
      }
      writer.finish();
    }
    try (TensorFile file = TensorFile.open(new LocalFolder(directory), "a.bin")) {
      assertThat(file.tensors()).containsExactlyElementsOf(tensors);
      assertThat(file.readFloats("t2047")).containsExactly(2047, -2047);
    }
  }

  @Test
  void refusesTensorsOutOfOrderTooLongOrUnfinished() throws IOException {
    List<TensorSpec> tensors =
        List.of(TensorSpec.of("a", DType.F32, 2), TensorSpec.of("b", DType.F32, 1));
    try (TorchArchiveWriter writer =
        new TorchArchiveWriter(Channels.newChannel(new ByteArrayOutputStream()), "root", tensors)) {
      assertThatThrownBy(() -> writer.append("b", new float[1]))
          .hasMessage("Cannot write tensor b: a comes first");
      assertThatThrownBy(() -> writer.append("a", new float[3]))
          .hasMessage("Cannot write tensor a: 12 bytes came, 8 are missing");
      writer.append("a", new float[1]);
      assertThatThrownBy(writer::finish)
          .hasMessage("Cannot finish the file: tensor a lacks 4 bytes");
      writer.append("a", new float[1]);
      writer.append("b", new float[1]);
      assertThatThrownBy(() -> writer.append("c", new float[1]))
          .hasMessage("Cannot write tensor c: all declared tensors are written");
      writer.finish();
    }
    assertThatThrownBy(
            () ->
                new TorchArchiveWriter(
                    Channels.newChannel(new ByteArrayOutputStream()),
                    "root",
                    tensors,
                    Map.of("c", "d")))
        .hasMessage("Invalid tied tensor: c (d is not among the tensors)");
  }
}
