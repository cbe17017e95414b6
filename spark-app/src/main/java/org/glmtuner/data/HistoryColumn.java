package org.glmtuner.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import org.glmtuner.config.DataConfig.Columns;

/**
 * Reads the turns before a query: a list of pairs, of objects that name their texts as the row
 * itself does, or the JSON text of either. Null and an empty text are no turns.
 */
final class HistoryColumn {
  private HistoryColumn() {}

  static List<Turn> read(JsonRow row, Columns columns) throws RowException {
    JsonElement value = row.value(columns.history());
    String name = "its column " + columns.history();
    if (value instanceof JsonPrimitive primitive && primitive.isString()) {
      String text = primitive.getAsString();
      if (text.isBlank()) {
        return List.of();
      }
      try {
        value = JsonRow.parse(text);
      } catch (RowException e) {
        throw new RowException(name + " holds a text that is not JSON");
      }
    }
    if (value.isJsonNull()) {
      return List.of();
    }
    if (!(value instanceof JsonArray list)) {
      throw new RowException(
          name + " holds " + JsonRow.kind(value) + " (a list of turns is needed)");
    }
    List<Turn> turns = new ArrayList<>();
    for (JsonElement turn : list) {
      turns.add(turn(turn, columns, columns.history() + "[" + turns.size() + "]"));
    }
    return turns;
  }

  private static Turn turn(JsonElement turn, Columns columns, String name) throws RowException {
    if (turn instanceof JsonArray pair && pair.size() == 2) {
      return new Turn(
          JsonRow.text(pair.get(0), name + "[0]"), JsonRow.text(pair.get(1), name + "[1]"));
    }
    if (!turn.isJsonObject()) {
      throw new RowException(
          name
              + " is "
              + JsonRow.kind(turn)
              + (turn instanceof JsonArray list ? " of " + list.size() : "")
              + " (a query and its response are needed)");
    }
    try {
      JsonRow texts = JsonRow.of(turn);
      return new Turn(texts.text(columns.prompt()), texts.text(columns.response()));
    } catch (RowException e) {
      throw new RowException(name + ": " + e.getMessage());
    }
  }
}
