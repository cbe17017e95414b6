package org.glmtuner.inspection;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.glmtuner.checkpoint.Manifest;
import org.glmtuner.metrics.MetricsLog;
import org.glmtuner.storage.Directory;

/** The directory of a run: where it stands, and its checkpoints. */
final class RunInspection {
  private static final String RESULT = "result.json";
  private static final String LATEST = "latest";

  private final Inspector inspector;

  RunInspection(Inspector inspector) {
    this.inspector = inspector;
  }

  Inspection of(Directory run) throws IOException {
    Inspection inspection = new Inspection(Holding.RUN, run.location());
    identity(inspection, run);
    result(inspection, run);
    metrics(inspection, run);
    List<String> names =
        run.children().stream()
            .filter(name -> name.matches("checkpoint-\\d{1,18}"))
            .sorted(
                Comparator.comparingLong(
                    name -> Long.parseLong(name.substring("checkpoint-".length()))))
            .toList();
    inspection.fact("checkpoints", (long) names.size());
    for (int i = 0; i < names.size(); i++) {
      boolean whole = inspector.isThorough() || i == names.size() - 1;
      checkpoint(inspection, run.child(names.get(i)), whole);
    }
    latest(inspection, run, names);
    return inspection;
  }

  private void checkpoint(Inspection inspection, Directory checkpoint, boolean whole)
      throws IOException {
    inspection.part(new PrefixInspection(inspector).of(checkpoint, Optional.empty(), whole));
    if (!checkpoint.contains(Manifest.FILE)) {
      inspection.problem(
          "Cannot resume from "
              + checkpoint.location()
              + ": it has no "
              + Manifest.FILE
              + ", so it was never completed");
    }
  }

  private static void identity(Inspection inspection, Directory run) throws IOException {
    object(inspection, run, Holding.RUN_IDENTITY)
        .ifPresent(
            identity -> {
              copy(inspection, identity, "attempts");
              if (identity.get("fingerprints") instanceof JsonObject fingerprints) {
                Map<String, String> texts = new TreeMap<>();
                fingerprints
                    .entrySet()
                    .forEach(entry -> texts.put(entry.getKey(), text(entry.getValue())));
                inspection.fact("fingerprints", texts);
              }
            });
  }

  private static void result(Inspection inspection, Directory run) throws IOException {
    Optional<JsonObject> result = object(inspection, run, RESULT);
    if (result.isEmpty()) {
      inspection.fact("status", "unfinished: there is no " + RESULT + " yet");
      return;
    }
    for (String key :
        List.of("status", "steps", "world_size", "final_loss", "best_eval_loss", "error")) {
      copy(inspection, result.get(), key);
    }
  }

  private static void metrics(Inspection inspection, Directory run) throws IOException {
    long steps = 0;
    JsonObject last = new JsonObject();
    try {
      for (String line : MetricsLog.lines(run)) {
        JsonObject record = JsonParser.parseString(line).getAsJsonObject();
        if (record.has("loss")) { // the others are of evaluations
          steps++;
          last = record;
        }
      }
    } catch (JsonParseException | IllegalStateException e) {
      inspection.problem(
          "Cannot read " + run.locate(MetricsLog.FILE) + ": it has a line that is no JSON object");
    }
    inspection.fact("logged_steps", steps);
    copy(inspection, last, "step");
    copy(inspection, last, "loss");
  }

  private static void latest(Inspection inspection, Directory run, List<String> checkpoints)
      throws IOException {
    Optional<String> latest = run.readText(LATEST).map(String::strip);
    latest.ifPresent(name -> inspection.fact(LATEST, name));
    if (latest.isPresent() && !checkpoints.contains(latest.get())) {
      inspection.problem(
          "Cannot find the checkpoint " + latest.get() + " that " + run.locate(LATEST) + " names");
    }
  }

  private static Optional<JsonObject> object(Inspection inspection, Directory run, String name)
      throws IOException {
    try {
      return run.readText(name).map(text -> JsonParser.parseString(text).getAsJsonObject());
    } catch (JsonParseException | IllegalStateException e) {
      inspection.problem("Cannot read " + run.locate(name) + ": it is no JSON object");
      return Optional.empty();
    }
  }

  private static void copy(Inspection inspection, JsonObject from, String key) {
    if (from.has(key) && from.get(key).isJsonPrimitive()) {
      inspection.fact(
          key,
          from.getAsJsonPrimitive(key).isNumber()
              ? from.get(key).getAsNumber()
              : text(from.get(key)));
    }
  }

  private static String text(JsonElement value) {
    return value.isJsonPrimitive() ? value.getAsString() : value.toString();
  }
}
