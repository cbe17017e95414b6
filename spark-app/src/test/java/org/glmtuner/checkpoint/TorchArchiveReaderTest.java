package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.glmtuner.SharedData;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TorchArchiveReaderTest {
  private static final String NAME = "a.bin";

  /** Opcodes of a tensor on the stack: shape [2, 3], storage "0" of six floats. */
  private static final String TENSOR =
      tensor("ctorch\nFloatStorage\n", "K\0", "K\2K\3\u0086", "K\3K\1\u0086");

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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        // os.system('x') by REDUCE, INST, NEWOBJ, OBJ, STACK_GLOBAL, through the memo, nested
        "cos\\nsystem\\nX\\1\\0\\0\\0x\\u0085R|it would run os.system",
        "(X\\1\\0\\0\\0xios\\nsystem\\n|it would run os.system",
        "cos\\nsystem\\nX\\1\\0\\0\\0x\\u0085\\u0081|it would run os.system",
        "(cos\\nsystem\\nX\\1\\0\\0\\0xo|it would run os.system",
        "\\u008c\\2os\\u0094\\u008c\\6system\\u0094\\u0093X\\1\\0\\0\\0x\\u0085R"
            + "|it would run os.system",
        "\\u008c\\2osq\\7\\u008c\\6systemq\\10N(h\\7h\\10\\u0093|it would run os.system",
        "}X\\1\\0\\0\\0acbuiltins\\neval\\nX\\1\\0\\0\\0x\\u0085Rs|it would run builtins.eval",
        "ctorch\\nload\\nX\\1\\0\\0\\0x\\u0085R|it would run torch.load",
        "ctorch._utils\\n_rebuild_tensor\\n|it would run torch._utils._rebuild_tensor",
        "ccollections\\nCounter\\n|it would run collections.Counter",
        "\\u0082\\1|its pickle uses the opcode 0x82",
        "Pstorage\\n|its pickle uses the opcode 0x50",
        "}\\u0081|its pickle uses the opcode 0x81",
        // calls of what may be named, but not called so
        "ctorch\\nFloatStorage\\n)R|its pickle is damaged",
        "ccollections\\nOrderedDict\\n]\\u0085R|an OrderedDict is built from arguments",
        "X\\1\\0\\0\\0aQ|a persistent id is not that of a storage",
        "}X\\1\\0\\0\\0a}b|only a dict may have attributes",
        "K\\1}b|only a dict may have attributes",
        // contents that are no tensors
        "}X\\1\\0\\0\\0aK\\1s|its entry a is not a tensor",
        "}K\\1K\\2s|its entry 1 is not a tensor",
        "]|its pickle is not a dict of tensors",
        "}(X\\1\\0\\0\\0aK\\1X\\1\\0\\0\\0aK\\2u|the key a is there twice",
        "R|its pickle is damaged",
        "X\\377\\377\\377\\177|its pickle ends in the middle",
        "X\\377\\377\\377\\377|its pickle ends in the middle",
        "}.}|there are bytes behind its pickle",
        "cos|its pickle ends in the middle",
      })
  void refusesAPickleOfAnythingButTensors(String opcodes, String reason) throws IOException {
    write(pickle(unescape(opcodes)), Map.of());
    assertRefused(reason);
  }

  @Test
  void namesWhatItRefuses() throws IOException {
    write(pickle("cos\nsystem\n" + text("x") + "\u0085R"), Map.of());
    assertRefused("it would run os.system (only tensors are allowed in a checkpoint)");
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

  /** An archive with these records and, if none is given, no byte order. */
  private void write(String pickle, Map<String, byte[]> records) throws IOException {
    Map<String, byte[]> all = new LinkedHashMap<>();
    all.put("data.pkl", pickle.getBytes(StandardCharsets.ISO_8859_1));
    all.putAll(records);
    try (FileChannel channel =
        FileChannel.open(
            directory.resolve(NAME),
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      StoredZip zip = new StoredZip(channel::write);
      for (Map.Entry<String, byte[]> entry : all.entrySet()) {
        zip.begin("root/" + entry.getKey(), entry.getValue().length);
        zip.update(ByteBuffer.wrap(entry.getValue()));
        channel.write(ByteBuffer.wrap(entry.getValue()));
        zip.end();
      }
      zip.finish();
    }
  }

  private static String pickle(String opcodes) {
    return "\u0080\2" + opcodes + ".";
  }

  private static String tensor(String storageClass, String offset, String shape, String strides) {
    return "ctorch._utils\n_rebuild_tensor_v2\n(("
        + text("storage")
        + storageClass
        + text("0")
        + text("cpu")
        + "K\6tQ"
        + offset
        + shape
        + strides
        + "\u0089ccollections\nOrderedDict\n)RtR";
  }

  private static String text(String ascii) {
    return "X" + (char) ascii.length() + "\0\0\0" + ascii;
  }

  private static String shortText(String ascii) {
    return "\u008c" + (char) ascii.length() + ascii;
  }

  /** Octal, line feed and {@code u00xx} escapes, which annotations' tables would swallow. */
  private static String unescape(String escaped) {
    return Pattern.compile("\\\\u00([0-9a-f]{2})")
        .matcher(escaped)
        .replaceAll(match -> Matcher.quoteReplacement(octal(match.group(1))))
        .translateEscapes();
  }

  private static String octal(String hex) {
    return String.format("\\%03o", Integer.parseInt(hex, 16));
  }

  private static byte[] floats(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
    DType.F32.encode(values, 0, values.length, bytes);
    return bytes.array();
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
