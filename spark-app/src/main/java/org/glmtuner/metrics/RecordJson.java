package org.glmtuner.metrics;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

/**
 * Records as the JSON of our files: keys in lower_case_with_underscores, null left out. NaN and
 * infinities are written as such: a loss that is not a number must not look like one.
 */
public final class RecordJson {
  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .serializeSpecialFloatingPointValues()
          .create();

  private RecordJson() {}

  public static String write(Record value) {
    return GSON.toJson(value);
  }

  /** Throws {@link com.google.gson.JsonParseException} where the text is no such record. */
  public static <T extends Record> T read(String json, Class<T> type) {
    return GSON.fromJson(json, type);
  }
}
