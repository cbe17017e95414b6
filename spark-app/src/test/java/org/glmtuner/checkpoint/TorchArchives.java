package org.glmtuner.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/** Torch archives put together by hand; a char of a pickle is a byte. */
final class TorchArchives {
  /** Opcodes of a tensor on the stack: shape [2, 3], storage "0" of six floats. */
  static final String TENSOR =
      tensor("ctorch\nFloatStorage\n", "K\0", "K\2K\3\u0086", "K\3K\1\u0086");

  private TorchArchives() {}

  /** An archive with these records and, if none is given, no byte order. */
  static void write(Path file, String pickle, Map<String, byte[]> records) throws IOException {
    Map<String, byte[]> all = new LinkedHashMap<>();
    all.put("data.pkl", pickle.getBytes(StandardCharsets.ISO_8859_1));
    all.putAll(records);
    try (FileChannel channel =
        FileChannel.open(
            file,
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

  static String pickle(String opcodes) {
    return "\u0080\2" + opcodes + ".";
  }

  static String tensor(String storageClass, String offset, String shape, String strides) {
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

  static String text(String ascii) {
    return "X" + (char) ascii.length() + "\0\0\0" + ascii;
  }

  static String shortText(String ascii) {
    return "\u008c" + (char) ascii.length() + ascii;
  }

  static byte[] floats(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
    DType.F32.encode(values, 0, values.length, bytes);
    return bytes.array();
  }
}
