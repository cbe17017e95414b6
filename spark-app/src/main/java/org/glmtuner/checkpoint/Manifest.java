package org.glmtuner.checkpoint;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Directory;

/**
 * What makes a directory a checkpoint: {@code manifest.json}, written last. A directory whose
 * manifest is missing or does not fit its files is none.
 *
 * @param step optimiser steps done
 * @param worldSize ranks that computed it
 * @param evalLoss on the validation rows after that step; null where it was not measured
 * @param ended whether the run ends here although its configuration has more steps
 * @param checksum over parameters and moments, equal on all of them, in hexadecimal
 */
public record Manifest(
    long step, int worldSize, String checksum, Double evalLoss, boolean ended, List<Entry> files) {
  public static final String FILE = "manifest.json";

  private static final Pattern NAME = Pattern.compile("(?!\\.{1,2}$)[\\w.-]+");
  private static final Gson GSON =
      new GsonBuilder().setPrettyPrinting().serializeSpecialFloatingPointValues().create();

  /** A file of the checkpoint. */
  public record Entry(String name, long bytes, String sha256) {}

  /** Writes the manifest into {@code checkpoint}, whose files must be complete. */
  public void store(Directory checkpoint) throws IOException {
    checkpoint.writeText(FILE, GSON.toJson(this) + "\n");
  }

  /**
   * What a directory is.
   *
   * @param manifest present iff the directory is a checkpoint
   * @param problem why it is none; empty if it is one
   */
  public record Examination(Optional<Manifest> manifest, String problem) {
    private static Examination problem(String sentence) {
      return new Examination(Optional.empty(), sentence);
    }
  }

  /**
   * The manifest of {@code checkpoint} if it has one whose files are all there in their full
   * length.
   */
  public static Optional<Manifest> read(Directory checkpoint) throws IOException {
    return examine(checkpoint).manifest();
  }

  /** Whether {@code checkpoint} is one, and if not, why. */
  public static Examination examine(Directory checkpoint) throws IOException {
    Manifest manifest;
    try {
      Optional<String> text = checkpoint.readText(FILE);
      if (text.isEmpty()) {
        return Examination.problem("it has no " + FILE);
      }
      JsonElement json = JsonParser.parseString(text.get());
      Optional<String> problem = problem(json);
      if (problem.isPresent()) {
        return Examination.problem("its " + FILE + " " + problem.get());
      }
      manifest = GSON.fromJson(json, Manifest.class);
    } catch (JsonParseException | TunerException e) {
      return Examination.problem(
          "its " + FILE + " is no manifest: " + e.getMessage().lines().findFirst().orElse(""));
    }
    for (Entry entry : manifest.files) {
      if (entry == null || entry.name == null || !NAME.matcher(entry.name).matches()) {
        return Examination.problem(
            "its "
                + FILE
                + " names the file "
                + (entry == null ? null : entry.name)
                + " (a plain file name)");
      }
      if (entry.sha256 == null) {
        return Examination.problem("its " + FILE + " has no sha256 of " + entry.name);
      }
      if (!checkpoint.contains(entry.name)) {
        return Examination.problem("its " + entry.name + " is missing");
      }
      long bytes = checkpoint.size(entry.name);
      if (bytes != entry.bytes) {
        return Examination.problem(
            "its " + entry.name + " has " + bytes + " bytes, " + entry.bytes + " were written");
      }
    }
    return new Examination(Optional.of(manifest), "");
  }

  /** What of a manifest is missing; Gson would make it 0 or null. */
  private static Optional<String> problem(JsonElement json) {
    if (!json.isJsonObject()) {
      return Optional.of("is no JSON object");
    }
    JsonObject object = json.getAsJsonObject();
    for (String key : List.of("step", "worldSize", "checksum", "files")) {
      if (!object.has(key) || object.get(key).isJsonNull()) {
        return Optional.of("has no " + key);
      }
    }
    return object.get("files") instanceof JsonArray files && files.isEmpty()
        ? Optional.of("lists no files")
        : Optional.empty();
  }

  /**
   * Checks a file that was read against the manifest.
   *
   * @throws TunerException (exit code 6) where its content has changed
   */
  public void check(String location, String name, String sha256) {
    boolean same =
        files.stream().anyMatch(entry -> entry.name.equals(name) && entry.sha256.equals(sha256));
    if (!same) {
      throw TunerException.damaged(
          "Cannot use the checkpoint "
              + location
              + ": "
              + name
              + " has SHA-256 "
              + sha256
              + ", not that of its manifest");
    }
  }
}
