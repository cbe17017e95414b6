package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.glmtuner.SharedData;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
  private static final String NAME = "a.safetensors";

  @TempDir Path directory;

  @Test
  void readsBackWhatItWrote() throws IOException {
    Random random = new Random(3);
    Map<TensorSpec, float[]> tensors = new LinkedHashMap<>();
    tensors.put(TensorSpec.of("词", DType.F32, 3, 5), TensorFiles.random(random, 15));
    tensors.put(TensorSpec.of("large", DType.F32, 1000, 301), TensorFiles.random(random, 301_000));
    tensors.put(TensorSpec.of("rounded", DType.BF16, 3), new float[] {1, -2.5f, 0x1p-130f});
    tensors.put(TensorSpec.of("empty", DType.F32, 0, 5), new float[0]);
    tensors.put(TensorSpec.of("scalar", DType.F16), new float[] {0.25f});
    TensorFiles.writeSafetensors(directory.resolve(NAME), tensors);

    try (TensorFile file = open()) {
      assertThat(file.metadata()).containsExactly(Map.entry("format", "pt"));
      assertThat(file.tensors()).containsExactlyElementsOf(tensors.keySet());
      for (Map.Entry<TensorSpec, float[]> tensor : tensors.entrySet()) {
        assertThat(file.readFloats(tensor.getKey().name())).isEqualTo(tensor.getValue());
      }
      float[] middle = new float[102_000];
      file.readFloats("large", 77_777, middle, 1000, 100_000);
      assertThat(Arrays.copyOfRange(middle, 1000, 101_000))
          .isEqualTo(Arrays.copyOfRange(file.readFloats("large"), 77_777, 177_777));
      assertThat(Arrays.copyOf(middle, 1000)).containsOnly(0);
      assertThatThrownBy(() -> file.readFloats("large", 300_999, middle, 0, 2))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void writesIntegersAndBytes() throws IOException {
    TensorSpec ids = TensorSpec.of("ids", DType.I32, 3);
    TensorSpec steps = TensorSpec.of("steps", DType.I64, 1);
    try (SafetensorsWriter writer =
        new SafetensorsWriter(
            TensorFiles.create(directory.resolve(NAME)), List.of(ids, steps), Map.of())) {
      writer.append("ids", new int[] {1, -100, 130005});
      assertThatThrownBy(() -> writer.append("steps", new int[1]))
          .hasMessage("Cannot write ints to tensor steps: it is not I32");
      writer.append("steps", ByteBuffer.wrap(new byte[] {1, 2, 0, 0, 0, 0, 0, 0}));
      writer.finish();
    }
    try (TensorFile file = open()) {
      ByteBuffer bytes = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
      file.readBytes("ids", 0, bytes);
      assertThat(bytes.getInt(4)).isEqualTo(-100);
      file.readBytes("steps", 0, bytes.clear().limit(8));
      assertThat(bytes.getLong(0)).isEqualTo(513);
      assertThatThrownBy(() -> file.readFloats("ids"))
          .hasMessage(
              "Cannot read tensor ids of %s: it is I32 (F32, F16 or BF16 is needed)",
              directory.resolve(NAME));
      assertThatThrownBy(() -> file.get("id"))
          .hasMessage("Cannot read %s: it has no tensor id", directory.resolve(NAME));
    }
  }

  @Test
  void alignsTheDataSection() {
    List<TensorSpec> tensors =
        List.of(TensorSpec.of("a", DType.F32, 3), TensorSpec.of("b", DType.BF16, 5));
    for (int alignment : new int[] {8, 64, 4096}) {
      SafetensorsLayout layout = new SafetensorsLayout(tensors, Map.of("k", "v"), alignment);
      assertThat(layout.position("a")).isEqualTo(layout.header().remaining());
      assertThat(layout.position("a") % alignment).isZero();
      assertThat(layout.position("b")).isEqualTo(layout.position("a") + 12);
      assertThat(layout.fileBytes()).isEqualTo(layout.position("b") + 10);
    }
  }

  @Test
  void readsTheGoldenModelLikeItsTorchArchive() throws IOException {
    LocalFolder folder = new LocalFolder(SharedData.require("data/golden/small/model"));
    try (TensorFile safetensors = TensorFile.open(folder, "model.safetensors");
        TensorFile torch = TensorFile.open(folder, "pytorch_model.bin")) {
      assertThat(safetensors.tensors()).hasSizeGreaterThan(40);
      assertThat(torch.tensors()).containsAll(safetensors.tensors());
      for (TensorSpec tensor : torch.tensors()) {
        assertThat(torch.readFloats(tensor.name()))
            .as(tensor.name())
            .isEqualTo(safetensors.readFloats(tensor.name()));
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | 3 "
            + "| the file was cut short: tensor a ends at byte 66, the file at 65",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | 5 "
            + "| 1 bytes after its last tensor belong to none",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}} | 4 "
            + "| tensor a has the data_offsets [0, 4], but 8 bytes by its dtype and shape",
        "{'a':{'dtype':'F31','shape':[1],'data_offsets':[0,4]}} | 4 "
            + "| tensor a has the dtype F31 and the shape [1]",
        "{'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}} | 4 "
            + "| tensor a has -1 in its shape or data_offsets",
        "{'a':{'dtype':'F32','shape':['1'],'data_offsets':[0,4]}} | 4 "
            + "| tensor a has a shape or data_offsets that are not numbers",
        "{'a':{'dtype':'F32','shape':[4611686018427387904],'data_offsets':[0,0]}} | 0 "
            + "| tensor a has the dtype F32 and the shape [4611686018427387904]",
        "{'a':{'dtype':'F32','shape':[1]}} | 4 "
            + "| tensor a lacks dtype, shape or its two data_offsets",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4],'b':1}} | 4 "
            + "| tensor a has the unknown key b",
        "{'a':{'dtype':'I8','shape':[2],'data_offsets':[0,2]},"
            + "'b':{'dtype':'I8','shape':[2],'data_offsets':[1,3]}} | 3 "
            + "| tensor b starts at byte 114, inside the tensor before it, which ends at 115",
        "{'a':{'dtype':'I8','shape':[2],'data_offsets':[0,2]},"
            + "'b':{'dtype':'I8','shape':[2],'data_offsets':[3,5]}} | 5 "
            + "| tensor b starts at byte 116, behind a gap after the tensor before it, "
            + "which ends at 115",
        "{'a':{'dtype':'I8','shape':[2],'data_offsets':[0,2]},"
            + "'a':{'dtype':'I8','shape':[2],'data_offsets':[2,4]}} | 4 "
            + "| tensor a is there twice",
        "{'a':1} | 0 | its header is not the JSON of a safetensors file",
        "{'a':{'dtype':'I8', | 0 | its header is not the JSON of a safetensors file",
        "{} {} | 0 | its header is not the JSON of a safetensors file",
        "[1,2,3] | 0 | it is neither a safetensors file nor a torch archive, by its first bytes",
      })
  void refusesADamagedHeader(String header, int dataBytes, String reason) throws IOException {
    write(header.replace('\'', '"').getBytes(StandardCharsets.UTF_8), dataBytes);
    assertRefused(reason);
  }

  @Test
  void neverFailsOtherwiseOnADamagedHeader() throws IOException {
    TensorFiles.writeSafetensors(
        directory.resolve(NAME),
        Map.of(TensorSpec.of("some.tensor", DType.F32, 2, 3), new float[6]));
    byte[] whole = Files.readAllBytes(directory.resolve(NAME));
    Random random = new Random(13);
    int refused = 0;
    for (int i = 0; i < 1000; i++) {
      byte[] damaged = whole.clone();
      damaged[random.nextInt(whole.length - 24)] = (byte) random.nextInt(128);
      Files.write(directory.resolve(NAME), damaged);
      try (TensorFile file = open()) {
        assertThat(file.tensors()).hasSize(1);
      } catch (TunerException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(500);
  }

  @Test
  void refusesWhatIsNoTensorFile() throws IOException {
    Files.write(directory.resolve(NAME), new byte[5]);
    assertRefused("it has 5 bytes, less than any tensor file");
    Files.write(directory.resolve(NAME), new byte[50]);
    assertRefused("it is neither a safetensors file nor a torch archive, by its first bytes");
    Files.writeString(directory.resolve(NAME), "<html>not found</html>");
    assertRefused("it is neither a safetensors file nor a torch archive, by its first bytes");
    Files.write(directory.resolve(NAME), new byte[] {99, 0, 0, 0, 0, 0, 0, 0, '{'});
    assertRefused("the file was cut short: its header has 99 bytes, the file 9");
    write(new byte[] {'{', (byte) 0xff, '}'}, 0);
    assertRefused("its header is not UTF-8");
    Files.writeString(
        directory.resolve(NAME), "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
    assertRefused("it is a Git LFS pointer to the file (run: git lfs pull)");
    Files.delete(directory.resolve(NAME));
    assertRefused("there is no such file");
  }

  private void write(byte[] header, int dataBytes) throws IOException {
    ByteBuffer file =
        ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(directory.resolve(NAME), file.putLong(header.length).put(header).array());
  }

  private void assertRefused(String reason) {
    assertThatThrownBy(this::open)
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessageStartingWith("Cannot read %s: %s", directory.resolve(NAME), reason);
  }

  private TensorFile open() throws IOException {
    return TensorFile.open(new LocalFolder(directory), NAME);
  }
}
