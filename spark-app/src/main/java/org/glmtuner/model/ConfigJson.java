package org.glmtuner.model;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.Predicate;
import org.glmtuner.failure.TunerException;

/** A JSON object whose values are asked for by key and type; every refusal names key and file. */
final class ConfigJson {
  private static final Gson STRICT =
      new GsonBuilder()
          .setStrictness(Strictness.STRICT)
          .setPrettyPrinting()
          .disableHtmlEscaping()
          .serializeNulls()
          .create();

  /** Above any real size, below what products of two sizes overflow. */
  private static final int MAX_SIZE = 1 << 24;

  private final String location;
  private final JsonObject content;

  ConfigJson(byte[] bytes, String location) {
    this.location = location;
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      content = STRICT.fromJson(text, JsonObject.class);
    } catch (CharacterCodingException | JsonParseException e) {
      throw TunerException.damaged("Cannot read " + location + ": it is not a JSON object", e);
    }
    if (content == null) {
      throw TunerException.damaged("Cannot read " + location + ": it is empty");
    }
  }

  static String format(JsonObject json) {
    return STRICT.toJson(json) + "\n";
  }

  JsonObject content() {
    return content;
  }

  /** Whether the key is there with a value other than null. */
  boolean has(String key) {
    return content.has(key) && !content.get(key).isJsonNull();
  }

  String text(String key) {
    return primitive(key, JsonPrimitive::isString, "a text").getAsString();
  }

  boolean flag(String key) {
    return primitive(key, JsonPrimitive::isBoolean, "true or false").getAsBoolean();
  }

  double number(String key) {
    return primitive(key, JsonPrimitive::isNumber, "a number").getAsDouble();
  }

  int integer(String key) {
    double value = number(key);
    check(key, value == Math.rint(value) && Math.abs(value) <= Integer.MAX_VALUE, "an integer");
    return (int) value;
  }

  /** An integer above 0. */
  int size(String key) {
    int value = integer(key);
    check(key, value > 0 && value <= MAX_SIZE, "1 to " + MAX_SIZE);
    return value;
  }

  /** Five ids under these keys, below {@code vocabSize}, no two the same. */
  SpecialIds specialIds(
      int vocabSize, String mask, String gmask, String sop, String eop, String pad) {
    for (String key : new String[] {mask, gmask, sop, eop, pad}) {
      int id = integer(key);
      check(key, id >= 0 && id < vocabSize, "0 to " + (vocabSize - 1) + ", by vocab_size");
    }
    try {
      return new SpecialIds(
          integer(mask), integer(gmask), integer(sop), integer(eop), integer(pad));
    } catch (IllegalArgumentException e) {
      throw TunerException.damaged("Cannot read " + location + ": " + e.getMessage(), e);
    }
  }

  /** Refuses the key's value unless {@code valid}. */
  void check(String key, boolean valid, String rule) {
    if (!valid) {
      throw TunerException.damaged(
          "Invalid " + key + " in " + location + ": " + content.get(key) + " (" + rule + ")");
    }
  }

  TunerException unsupported(String reason) {
    return TunerException.invalid("Cannot use the model of " + location + ": " + reason);
  }

  private JsonPrimitive primitive(String key, Predicate<JsonPrimitive> type, String rule) {
    if (!has(key)) {
      throw TunerException.damaged("Cannot read " + location + ": the key " + key + " is missing");
    }
    JsonElement value = content.get(key);
    check(key, value.isJsonPrimitive() && type.test(value.getAsJsonPrimitive()), rule);
    return value.getAsJsonPrimitive();
  }
}
