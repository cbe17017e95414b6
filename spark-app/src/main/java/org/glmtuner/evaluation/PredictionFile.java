package org.glmtuner.evaluation;

import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.glmtuner.failure.TunerException;

/**
 * {@code generated_predictions.txt} of the official script: a JSON object a line, {@code labels}
 * then {@code predict}, in UTF-8 and byte for byte as Python's {@code json.dumps(…,
 * ensure_ascii=False)} writes it.
 */
public final class PredictionFile {
  public static final String NAME = "generated_predictions.txt";
  private static final String BYTE_ORDER_MARK = "\ufeff";

  private PredictionFile() {}

  /** The line for a prediction, without its line feed. */
  public static String line(Prediction prediction) {
    StringBuilder line = new StringBuilder("{\"labels\": ");
    quote(prediction.labels(), line);
    line.append(", \"predict\": ");
    quote(prediction.predict(), line);
    return line.append('}').toString();
  }

  private static void quote(String text, StringBuilder json) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> json.append("\\\"");
        case '\\' -> json.append("\\\\");
        case '\n' -> json.append("\\n");
        case '\r' -> json.append("\\r");
        case '\t' -> json.append("\\t");
        case '\b' -> json.append("\\b");
        case '\f' -> json.append("\\f");
        default -> {
          if (c < ' ') {
            json.append(String.format("\\u%04x", (int) c));
          } else {
            json.append(c);
          }
        }
      }
    }
    json.append('"');
  }

  /**
   * Reads predictions in their order, one at a time. Blank lines count but hold nothing; other keys
   * than the two are passed over.
   *
   * @param location the file's path, for messages
   * @throws TunerException (exit code 6) at the first malformed line, naming it
   */
  public static void read(InputStream stream, String location, Consumer<Prediction> predictions)
      throws IOException {
    BufferedInputStream bytes = new BufferedInputStream(stream);
    ByteArrayOutputStream buffer = new ByteArrayOutputStream();
    for (long number = 1; readLine(bytes, buffer); number++) {
      String line;
      Prediction prediction;
      try {
        line = decode(buffer.toByteArray(), number == 1);
        prediction = line.isBlank() ? null : parse(line);
      } catch (MalformedException e) {
        throw TunerException.damaged(
            "Cannot read " + location + ", line " + number + ": " + e.getMessage());
      }
      if (prediction != null) {
        predictions.accept(prediction);
      }
    }
  }

  /** Why a line holds no prediction. */
  private static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedException(String reason) {
      super(reason);
    }
  }

  /** The bytes up to the next line feed; false at the end of the file. */
  private static boolean readLine(InputStream in, ByteArrayOutputStream line) throws IOException {
    line.reset();
    int next = in.read();
    boolean found = next >= 0;
    while (next >= 0 && next != '\n') {
      line.write(next);
      next = in.read();
    }
    return found;
  }

  private static String decode(byte[] bytes, boolean first) throws MalformedException {
    try {
      String line = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return first && line.startsWith(BYTE_ORDER_MARK) ? line.substring(1) : line;
    } catch (CharacterCodingException e) {
      throw new MalformedException("it is not UTF-8");
    }
  }

  private static Prediction parse(String line) throws MalformedException {
    Map<String, String> texts = new HashMap<>();
    try (JsonReader reader = new JsonReader(new StringReader(line))) {
      reader.setStrictness(Strictness.STRICT);
      reader.beginObject();
      while (reader.hasNext()) {
        String key = reader.nextName();
        if (!key.equals("labels") && !key.equals("predict")) {
          reader.skipValue();
        } else if (reader.peek() == JsonToken.STRING) {
          texts.put(key, reader.nextString());
        } else {
          throw new MalformedException("its " + key + " is no text");
        }
      }
      reader.endObject();
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new IllegalStateException("something follows");
      }
    } catch (IOException | JsonParseException | IllegalStateException e) {
      throw new MalformedException("it is not one JSON object");
    }
    if (texts.size() < 2) {
      throw new MalformedException(
          "it has no " + (texts.containsKey("labels") ? "predict" : "labels"));
    }
    return new Prediction(texts.get("labels"), texts.get("predict"));
  }
}
