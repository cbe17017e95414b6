package org.glmtuner.data;

import com.google.gson.JsonObject;

/**
 * A row of a table, with its fields by the names of their columns.
 *
 * @param number its place in the file, from 1
 * @param fields what it holds; null where it cannot be read
 * @param problem why it cannot be read, else null
 */
public record TableRow(long number, JsonObject fields, String problem) {
  static TableRow of(long number, JsonObject fields) {
    return new TableRow(number, fields, null);
  }

  static TableRow unreadable(long number, String problem) {
    return new TableRow(number, null, problem);
  }
}
