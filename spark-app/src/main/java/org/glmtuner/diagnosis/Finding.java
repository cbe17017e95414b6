package org.glmtuner.diagnosis;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What one check found in one place.
 *
 * @param check a short name, such as {@code kernels}
 * @param where host, executor or group of ranks
 * @param found one sentence or less
 * @param advice what to do; empty where nothing is to be done
 * @param values what was measured, by names that say the unit
 */
public record Finding(
    String check,
    String where,
    Verdict verdict,
    String found,
    String advice,
    Map<String, Double> values) {
  public Finding {
    values = new LinkedHashMap<>(values); // in the order in which they were given
  }

  /** As {@link #parse} reads it. */
  public JsonObject toJson() {
    JsonObject line = new JsonObject();
    line.addProperty("check", check);
    line.addProperty("where", where);
    line.addProperty("verdict", verdict.label());
    line.addProperty("found", found);
    line.addProperty("advice", advice);
    JsonObject numbers = new JsonObject();
    values.forEach(numbers::addProperty);
    line.add("values", numbers);
    return line;
  }

  /** The inverse of {@link #toJson}. */
  public static Finding parse(String text) {
    JsonObject line = JsonParser.parseString(text).getAsJsonObject();
    Map<String, Double> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonElement> value : line.getAsJsonObject("values").entrySet()) {
      values.put(value.getKey(), value.getValue().getAsDouble());
    }
    return new Finding(
        line.get("check").getAsString(),
        line.get("where").getAsString(),
        Verdict.valueOf(line.get("verdict").getAsString().toUpperCase(Locale.ROOT)),
        line.get("found").getAsString(),
        line.get("advice").getAsString(),
        values);
  }
}
