package org.glmtuner.checkpoint;

import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.glmtuner.checkpoint.TensorFile.Extent;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Folder;

/**
 * Parses the header of a safetensors file, as strictly as the format's own library: the tensors
 * tile the data section without gap or overlap.
 */
final class SafetensorsReader {
  /** The limit of the format's own library. */
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private final String location;
  private final long dataStart;
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final Map<String, Extent> extents = new LinkedHashMap<>();

  private SafetensorsReader(String location, long dataStart) {
    this.location = location;
    this.dataStart = dataStart;
  }

  /** Reads the header; the returned file owns the channel. */
  static TensorFile read(String location, SeekableByteChannel channel) throws IOException {
    long size = channel.size();
    if (size < Long.BYTES) {
      throw notReadable(location, "it has " + size + " bytes, less than any tensor file");
    }
    ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    channel.position(0);
    Folder.readFully(channel, length);
    long headerBytes = length.getLong(0);
    if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES) {
      throw notReadable(
          location, "it is neither a safetensors file nor a torch archive, by its first bytes");
    }
    if (headerBytes > size - Long.BYTES) {
      throw notReadable(
          location,
          "the file was cut short: its header has " + headerBytes + " bytes, the file " + size);
    }
    ByteBuffer header = ByteBuffer.allocate((int) headerBytes);
    Folder.readFully(channel, header);
    SafetensorsReader reader = new SafetensorsReader(location, Long.BYTES + headerBytes);
    reader.parse(header.flip());
    reader.checkTiling(size);
    return new TensorFile(location, channel, reader.metadata, reader.extents);
  }

  private void parse(ByteBuffer header) throws IOException {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(header).toString();
    } catch (CharacterCodingException e) {
      throw damaged("its header is not UTF-8", e);
    }
    if (!text.startsWith("{")) {
      throw damaged("it is neither a safetensors file nor a torch archive, by its first bytes");
    }
    try (JsonReader json = new JsonReader(new StringReader(text))) {
      json.setStrictness(Strictness.STRICT);
      json.beginObject();
      while (json.hasNext()) {
        String name = json.nextName();
        if (name.equals("__metadata__")) {
          parseMetadata(json);
        } else {
          parseTensor(name, json);
        }
      }
      json.endObject();
      if (json.peek() != JsonToken.END_DOCUMENT) {
        throw new IllegalStateException("something follows");
      }
    } catch (MalformedJsonException
        | EOFException
        | JsonParseException
        | IllegalStateException
        | NumberFormatException e) {
      throw damaged("its header is not the JSON of a safetensors file", e);
    }
  }

  private void parseMetadata(JsonReader json) throws IOException {
    json.beginObject();
    while (json.hasNext()) {
      metadata.put(json.nextName(), json.nextString());
    }
    json.endObject();
  }

  private void parseTensor(String name, JsonReader json) throws IOException {
    String dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    json.beginObject();
    while (json.hasNext()) {
      String key = json.nextName();
      switch (key) {
        case "dtype" -> dtype = json.nextString();
        case "shape" -> shape = parseSizes(name, json);
        case "data_offsets" -> offsets = parseSizes(name, json);
        default -> throw damaged("tensor " + name + " has the unknown key " + key);
      }
    }
    json.endObject();
    if (dtype == null || shape == null || offsets == null || offsets.size() != 2) {
      throw damaged("tensor " + name + " lacks dtype, shape or its two data_offsets");
    }
    TensorSpec spec = spec(name, dtype, shape);
    long begin = offsets.get(0);
    if (offsets.get(1) - begin != spec.bytes()) {
      throw damaged(
          "tensor "
              + name
              + " has the data_offsets "
              + offsets
              + ", but "
              + spec.bytes()
              + " bytes by its dtype and shape");
    }
    if (extents.put(name, new Extent(spec, dataStart + begin, Optional.empty())) != null) {
      throw damaged("tensor " + name + " is there twice");
    }
  }

  private TensorSpec spec(String name, String dtype, List<Long> shape) {
    try {
      return new TensorSpec(name, DType.valueOf(dtype), shape);
    } catch (IllegalArgumentException e) {
      throw damaged("tensor " + name + " has the dtype " + dtype + " and the shape " + shape, e);
    }
  }

  private List<Long> parseSizes(String name, JsonReader json) throws IOException {
    List<Long> sizes = new ArrayList<>();
    json.beginArray();
    while (json.hasNext()) {
      if (json.peek() != JsonToken.NUMBER) {
        throw damaged("tensor " + name + " has a shape or data_offsets that are not numbers");
      }
      long size = json.nextLong();
      if (size < 0) {
        throw damaged("tensor " + name + " has " + size + " in its shape or data_offsets");
      }
      sizes.add(size);
    }
    json.endArray();
    return sizes;
  }

  private void checkTiling(long fileBytes) {
    List<Extent> inOrder = new ArrayList<>(extents.values());
    inOrder.sort(
        Comparator.comparingLong(Extent::position).thenComparingLong(e -> e.spec().bytes()));
    long end = dataStart;
    for (Extent extent : inOrder) {
      if (extent.position() != end) {
        throw damaged(
            "tensor "
                + extent.spec().name()
                + " starts at byte "
                + extent.position()
                + ", "
                + (extent.position() < end ? "inside" : "behind a gap after")
                + " the tensor before it, which ends at "
                + end);
      }
      end += extent.spec().bytes();
      if (end > fileBytes || end < 0) {
        throw damaged(
            "the file was cut short: tensor "
                + extent.spec().name()
                + " ends at byte "
                + end
                + ", the file at "
                + fileBytes);
      }
    }
    if (end != fileBytes) {
      throw damaged((fileBytes - end) + " bytes after its last tensor belong to none");
    }
  }

  private TunerException damaged(String reason) {
    return notReadable(location, reason);
  }

  private TunerException damaged(String reason, Exception cause) {
    return TunerException.damaged("Cannot read " + location + ": " + reason, cause);
  }

  private static TunerException notReadable(String location, String reason) {
    return TunerException.damaged("Cannot read " + location + ": " + reason);
  }
}
