package org.glmtuner.checkpoint;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where everything lies in a safetensors file that is to be written: its tensors in the given
 * order, one behind the other.
 */
public final class SafetensorsLayout {
  private static final Gson JSON = new GsonBuilder().disableHtmlEscaping().create();

  private final byte[] header;
  private final Map<String, Long> positions;
  private final long fileBytes;

  /**
   * @param metadata what the file says of itself; left out when empty
   * @param alignment the data section starts at a multiple of this; 8 is usual, 4096 lets matrices
   *     be mapped on whole pages
   */
  public SafetensorsLayout(List<TensorSpec> tensors, Map<String, String> metadata, int alignment) {
    JsonObject json = new JsonObject();
    if (!metadata.isEmpty()) {
      JsonObject entries = new JsonObject();
      new TreeMap<>(metadata).forEach(entries::addProperty); // the same file in every JVM
      json.add("__metadata__", entries);
    }
    long end = 0;
    Map<String, Long> starts = new LinkedHashMap<>();
    for (TensorSpec tensor : tensors) {
      if (starts.put(tensor.name(), end) != null) {
        throw new IllegalArgumentException(
            "Invalid tensors: " + tensor.name() + " (each name once)");
      }
      json.add(tensor.name(), describe(tensor, end));
      end += tensor.bytes();
    }
    byte[] text = JSON.toJson(json).getBytes(StandardCharsets.UTF_8);
    int unaligned = Long.BYTES + text.length;
    int dataStart = unaligned + Math.floorMod(-unaligned, alignment);
    ByteBuffer bytes = ByteBuffer.allocate(dataStart).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(dataStart - Long.BYTES).put(text);
    while (bytes.hasRemaining()) {
      bytes.put((byte) ' ');
    }
    header = bytes.array();
    starts.replaceAll((name, start) -> dataStart + start);
    positions = Collections.unmodifiableMap(starts);
    fileBytes = dataStart + end;
  }

  private static JsonObject describe(TensorSpec tensor, long start) {
    JsonArray shape = new JsonArray();
    tensor.shape().forEach(shape::add);
    JsonArray offsets = new JsonArray();
    offsets.add(start);
    offsets.add(start + tensor.bytes());
    JsonObject description = new JsonObject();
    description.addProperty("dtype", tensor.dtype().name());
    description.add("shape", shape);
    description.add("data_offsets", offsets);
    return description;
  }

  /** The bytes before the data section. */
  public ByteBuffer header() {
    return ByteBuffer.wrap(header).asReadOnlyBuffer();
  }

  /** Where the tensor's first byte lies in the file. */
  public long position(String name) {
    Long position = positions.get(name);
    if (position == null) {
      throw new IllegalArgumentException("Invalid tensor: " + name + " (not in this layout)");
    }
    return position;
  }

  /** Length of the whole file. */
  public long fileBytes() {
    return fileBytes;
  }
}
