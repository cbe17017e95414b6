package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.glmtuner.checkpoint.TorchArchives.TENSOR;
import static org.glmtuner.checkpoint.TorchArchives.floats;
import static org.glmtuner.checkpoint.TorchArchives.pickle;
import static org.glmtuner.checkpoint.TorchArchives.shortText;
import static org.glmtuner.checkpoint.TorchArchives.tensor;
import static org.glmtuner.checkpoint.TorchArchives.text;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.glmtuner.SharedData;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchArchiveReaderTest {
  private static final String NAME = "a.bin";

  @TempDir Path directory;

  @Test
  void readsEveryGoldenArchive() throws IOException {
    int archives = 0;
    for (String model : List.of("small", "vocab")) {
      try (Stream<Path> files = Files.walk(SharedData.require("data/golden/" + model))) {
        for (Path file : files.filter(path -> path.toString().endsWith(".bin")).toList()) {
          LocalFolder folder = new LocalFolder(file.getParent());
          try (TensorFile tensors = TensorFile.open(folder, file.getFileName().toString())) {
            archives++;
            for (TensorSpec tensor : tensors.tensors()) {
              for (float value : tensors.readFloats(tensor.name())) {
                assertThat(Math.abs(value)).as(tensor.name()).isLessThan(100);
              }
            }
          }
        }
      }
    }
    assertThat(archives).isGreaterThan(15);
  }

  @Test
  void readsPrefixCheckpointsLikeTheirSafetensors() throws IOException {
    for (String prefix : List.of("p8", "p8-proj")) {
      LocalFolder folder =
          new LocalFolder(SharedData.require("data/golden/small/prefix-init/" + prefix));
      try (TensorFile torch = TensorFile.open(folder, "pytorch_model.bin");
          TensorFile safetensors = TensorFile.open(folder, "prefix.safetensors")) {
        for (TensorSpec tensor : torch.tensors()) {
          String shortName = tensor.name().replace("transformer.prefix_encoder.", "");
          String name = safetensors.find(shortName).isPresent() ? shortName : tensor.name();
          assertThat(torch.readFloats(tensor.name())).isEqualTo(safetensors.readFloats(name));
        }
      }
    }
  }

  @Test
  void readsViewsParametersAndTheStateDictOfAModule() throws IOException {
    String orderedDict = "ccollections\nOrderedDict\n)R";
    write(
        pickle(
            orderedDict
                + "("
                + text("view")
                + tensor("ctorch\nFloatStorage\n", "K\1", "K\2\u0085", "K\1\u0085")
                + text("parameter")
                + "ctorch._utils\n_rebuild_parameter\n("
                + TENSOR
                + "\u0088"
                + orderedDict
                + "tR"
                + "u"
                + "}"
                + text("_metadata")
                + orderedDict
                + "sb"),
        Map.of("data/0", floats(1, 2, 3, 4, 5, 6)));
    try (TensorFile file = open()) {
      assertThat(file.tensors())
          .containsExactly(
              TensorSpec.of("view", DType.F32, 2), TensorSpec.of("parameter", DType.F32, 2, 3));
      assertThat(file.readFloats("view")).containsExactly(2, 3);
      assertThat(file.readFloats("parameter")).containsExactly(1, 2, 3, 4, 5, 6);
    }
  }

  @Test
  void readsAPickleOfProtocolFour() throws IOException {
    String tensor =
        TENSOR
            .replace(
                "ctorch._utils\n_rebuild_tensor_v2\n",
                shortText("torch._utils") + "\u0094" + shortText("_rebuild_tensor_v2") + "\u0093")
            .replace(
                "ctorch\nFloatStorage\n", shortText("torch") + shortText("FloatStorage") + "\u0093")
            .replace(
                "ccollections\nOrderedDict\n",
                shortText("collections") + shortText("OrderedDict") + "\u0093");
    write("\u0080\4}" + shortText("a") + tensor + "s.", Map.of("data/0", floats(1, 2, 3, 4, 5, 6)));
    try (TensorFile file = open()) {
      assertThat(file.readFloats("a")).containsExactly(1, 2, 3, 4, 5, 6);
    }
  }

  @Test
  void refusesTensorsThatAreNotThere() throws IOException {
    byte[] six = floats(1, 2, 3, 4, 5, 6);
    write(pickle("}" + text("a") + TENSOR + "s"), Map.of());
    assertRefused("tensor a lies in root/data/0, which is missing");
    write(pickle("}" + text("a") + TENSOR + "s"), Map.of("data/0", floats(1, 2, 3, 4, 5)));
    assertRefused("tensor a needs 24 bytes from byte 0 of root/data/0, which has 20");
    String shifted = tensor("ctorch\nFloatStorage\n", "K\1", "K\2K\3\u0086", "K\3K\1\u0086");
    write(pickle("}" + text("a") + shifted + "s"), Map.of("data/0", six));
    assertRefused("tensor a needs 24 bytes from byte 4 of root/data/0, which has 24");
    String transposed = tensor("ctorch\nFloatStorage\n", "K\0", "K\3K\2\u0086", "K\1K\3\u0086");
    write(pickle("}" + text("a") + transposed + "s"), Map.of("data/0", six));
    assertRefused(
        "tensor a has the strides [1, 3] for the shape [3, 2] (only row-major tensors are read)");
    String negative =
        tensor("ctorch\nFloatStorage\n", "K\0", "J\377\377\377\377\u0085", "K\1\u0085");
    write(pickle("}" + text("a") + negative + "s"), Map.of("data/0", six));
    assertRefused("Invalid shape of tensor a: [-1] (no size below 0)");
    write(
        pickle("}" + text("a") + TENSOR + "s"),
        Map.of("data/0", six, "byteorder", "big".getBytes(StandardCharsets.US_ASCII)));
    assertRefused("its byte order is big (little is needed)");
  }

  @Test
  void refusesAnArchiveThatWasCutShort() throws IOException {
    writeTensor(1000);
    byte[] whole = Files.readAllBytes(directory.resolve(NAME));
    for (int length : new int[] {4, 100, 1500, whole.length - 30, whole.length - 1}) {
      Files.write(directory.resolve(NAME), Arrays.copyOf(whole, length));
      assertRefused("the zip directory at its end is missing or damaged, perhaps the file was cut");
    }
  }

  @Test
  void noticesAFlippedBitInATensor() throws IOException {
    writeTensor(1000);
    long position;
    try (TensorFile file = open()) {
      position = file.position("a");
      assertThat(file.readFloats("a")).hasSize(1000);
    }
    try (FileChannel channel =
        FileChannel.open(directory.resolve(NAME), StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {99}), position + 2345);
    }
    try (TensorFile file = open()) {
      float[] values = new float[1000];
      file.readFloats("a", 500, values, 0, 500); // a part of it has no sum
      file.readFloats("a", 0, values, 0, 999);
      assertThatThrownBy(() -> file.readFloats("a", 999, values, 999, 1))
          .isInstanceOf(TunerException.class)
          .hasMessageMatching(
              "Cannot read tensor a of .*a.bin: its bytes have the CRC-32 [0-9a-f]{8} "
                  + "\\(the archive says [0-9a-f]{8}\\)");
    }
  }

  @Test
  void neverFailsOtherwiseOnDamage() throws IOException {
    writeTensor(20);
    byte[] whole = Files.readAllBytes(directory.resolve(NAME));
    Random random = new Random(11);
    int refused = 0;
    for (int i = 0; i < 1000; i++) {
      byte[] damaged = whole.clone();
      for (int k = 0; k <= i % 3; k++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      Files.write(directory.resolve(NAME), damaged);
      try (TensorFile file = open()) {
        for (TensorSpec tensor : file.tensors()) {
          file.readBytes(tensor.name(), 0, ByteBuffer.allocate((int) tensor.bytes()));
        }
      } catch (TunerException e) {
        assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED);
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(200);
  }

  @Test
  void refusesOtherArchives() throws IOException {
    Files.write(directory.resolve(NAME), new byte[] {(byte) 0x80, 2, (byte) 0x8a, 10});
    assertRefused("PyTorch before 1.6 wrote it (load it and save it again with a later one)");
    try (ZipOutputStream zip =
        new ZipOutputStream(Files.newOutputStream(directory.resolve(NAME)))) {
      zip.putNextEntry(new ZipEntry("root/other"));
    }
    assertRefused("it is a zip file without data.pkl, not a checkpoint of PyTorch");
    try (ZipOutputStream zip =
        new ZipOutputStream(Files.newOutputStream(directory.resolve(NAME)))) {
      zip.putNextEntry(new ZipEntry("root/data.pkl"));
      zip.write(pickle("}").getBytes(StandardCharsets.ISO_8859_1));
    }
    assertRefused("its record root/data.pkl is compressed, which torch.save never does");
  }

  private void writeTensor(int elements) throws IOException {
    Files.deleteIfExists(directory.resolve(NAME));
    TensorFiles.writeTorch(
        directory.resolve(NAME),
        Map.of(
            TensorSpec.of("a", DType.F32, elements), TensorFiles.random(new Random(5), elements)));
  }

  private void write(String pickle, Map<String, byte[]> records) throws IOException {
    TorchArchives.write(directory.resolve(NAME), pickle, records);
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
