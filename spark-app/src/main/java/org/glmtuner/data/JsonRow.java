package org.glmtuner.data;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.glmtuner.failure.DidYouMean;

/** A JSON object as a row of named columns. */
record JsonRow(JsonObject columns) {
  private static final Pattern PLACE = Pattern.compile(" at line \\d+ column \\d+");
  private static final TypeAdapter<JsonElement> ELEMENTS = new Gson().getAdapter(JsonElement.class);

  /** Reads exactly one JSON value, by the letter of the standard. */
  static JsonElement parse(String json) throws RowException {
    try (JsonReader reader = new JsonReader(new StringReader(json))) {
      reader.setStrictness(Strictness.STRICT);
      JsonElement element = ELEMENTS.read(reader);
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new IllegalStateException("something follows");
      }
      return element;
    } catch (IOException | JsonParseException | IllegalStateException e) {
      throw new RowException("it is not JSON" + place(e));
    }
  }

  /** Where reading stopped, out of the library's message, which speaks to programmers. */
  static String place(Exception e) {
    Matcher place = PLACE.matcher(String.valueOf(e.getMessage()));
    return place.find() ? place.group() : "";
  }

  static JsonRow of(JsonElement element) throws RowException {
    if (!element.isJsonObject()) {
      throw new RowException("it is " + kind(element) + " (an object is needed)");
    }
    return new JsonRow(element.getAsJsonObject());
  }

  /** The text in the column; empty where it holds null. */
  String text(String column) throws RowException {
    return text(value(column), "its column " + column);
  }

  /**
   * The text of a value; empty for null.
   *
   * @param name of the place, for messages
   */
  static String text(JsonElement value, String name) throws RowException {
    if (value.isJsonNull()) {
      return "";
    }
    if (!(value instanceof JsonPrimitive primitive) || !primitive.isString()) {
      throw new RowException(name + " holds " + kind(value) + " (a text is needed)");
    }
    String text = primitive.getAsString();
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new RowException(name + " holds half a surrogate pair");
    }
    return text;
  }

  /** The array of integers in the column. */
  int[] integers(String column) throws RowException {
    if (!(value(column) instanceof JsonArray array)) {
      throw new RowException(
          "its column "
              + column
              + " holds "
              + kind(value(column))
              + " (an array of integers is needed)");
    }
    int[] integers = new int[array.size()];
    for (int i = 0; i < integers.length; i++) {
      JsonElement element = array.get(i);
      try {
        if (!(element instanceof JsonPrimitive primitive) || !primitive.isNumber()) {
          throw new NumberFormatException();
        }
        integers[i] = Integer.parseInt(primitive.getAsString());
      } catch (NumberFormatException e) {
        throw new RowException(
            column + "[" + i + "] is " + kind(element) + " (an integer is needed)");
      }
    }
    return integers;
  }

  /** What the column holds. */
  JsonElement value(String column) throws RowException {
    JsonElement value = columns.get(column);
    if (value == null) {
      throw new RowException(
          columns.isEmpty()
              ? "it has no column " + column + ", nor any other"
              : "it has no column "
                  + column
                  + " but "
                  + String.join(", ", columns.keySet())
                  + DidYouMean.hint(column, columns.keySet()));
    }
    return value;
  }

  /** What a value is, in words. */
  static String kind(JsonElement element) {
    if (element.isJsonObject()) {
      return "an object";
    } else if (element.isJsonArray()) {
      return "an array";
    } else if (element.isJsonNull()) {
      return "null";
    }
    JsonPrimitive primitive = element.getAsJsonPrimitive();
    return primitive.isString()
        ? "a text"
        : primitive.isNumber() ? "the number " + primitive : "true or false";
  }
}
