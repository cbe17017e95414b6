package org.glmtuner.inspection;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.glmtuner.checkpoint.Manifest;
import org.glmtuner.checkpoint.PrefixFiles;
import org.glmtuner.checkpoint.PrefixShape;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TrainerState;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.storage.Digests;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.Folder;

/** A checkpoint directory, ours or the official trainer's, or one file with a prefix. */
final class PrefixInspection {
  private final Inspector inspector;

  PrefixInspection(Inspector inspector) {
    this.inspector = inspector;
  }

  /**
   * Inspects.
   *
   * @param one the only file to look at; all of the directory without it
   * @param whole also reads all values and, where there is a manifest, all files for their sums
   */
  Inspection of(Directory directory, Optional<String> one, boolean whole) throws IOException {
    Folder folder = directory.reader();
    Inspection inspection =
        new Inspection(Holding.PREFIX, one.map(folder::locate).orElseGet(folder::location));
    List<String> files = new ArrayList<>();
    for (String name : one.map(List::of).orElse(PrefixFiles.NAMES)) {
      if (folder.contains(name)) {
        files.add(name);
      }
    }
    if (one.isEmpty()) {
      inspection.fact("files", String.join(", ", files));
      state(inspection, directory);
    }
    Optional<PrefixShape> shape = Optional.empty();
    for (String name : files) {
      shape = file(inspection, folder, name, shape, whole);
    }
    shape.ifPresent(found -> config(inspection, folder, found));
    if (one.isEmpty()) {
      manifest(inspection, directory, whole);
    }
    return inspection;
  }

  private Optional<PrefixShape> file(
      Inspection inspection,
      Folder folder,
      String name,
      Optional<PrefixShape> before,
      boolean whole)
      throws IOException {
    try (TensorFile file = TensorFile.open(folder, name)) {
      PrefixShape shape = PrefixShape.of(file);
      if (before.isEmpty()) {
        inspection.fact("prefix_length", shape.length());
        inspection.fact("projection", shape.projection());
        inspection.fact("layers_times_hidden", shape.width() / 2);
        Inspector.count(inspection, file);
        if (!file.metadata().isEmpty()) {
          inspection.fact("metadata", new TreeMap<>(file.metadata()));
        }
        inspection.tensors(file);
      } else if (!before.get().equals(shape)) {
        inspection.problem(
            "Cannot tell which prefix "
                + folder.location()
                + " holds: "
                + name
                + " has another shape than the file before");
      }
      if (whole) {
        inspector.read(inspection, file);
      }
      return Optional.of(shape);
    } catch (TunerException e) {
      inspection.problem(e);
      return before;
    }
  }

  private static void config(Inspection inspection, Folder folder, PrefixShape shape) {
    try {
      if (folder.contains(ChatGlmConfig.FILE)) {
        shape.check(inspection.location(), ChatGlmConfig.readCheckpoint(folder));
      }
    } catch (TunerException e) {
      inspection.problem(e);
    } catch (IOException e) {
      inspection.problem("Cannot read " + folder.locate(ChatGlmConfig.FILE) + ": " + e);
    }
  }

  /** Ours and the official trainer's both have {@code global_step}. */
  private static void state(Inspection inspection, Directory directory) throws IOException {
    Optional<String> text = directory.readText(TrainerState.FILE);
    if (text.isEmpty()) {
      return;
    }
    try {
      JsonObject state = JsonParser.parseString(text.get()).getAsJsonObject();
      inspection.fact("step", state.get("global_step").getAsLong());
    } catch (JsonParseException | IllegalStateException | NullPointerException e) {
      inspection.problem(
          "Cannot read "
              + directory.locate(TrainerState.FILE)
              + ": it is no JSON object with a global_step");
    }
  }

  private void manifest(Inspection inspection, Directory directory, boolean whole)
      throws IOException {
    if (!directory.contains(Manifest.FILE)) {
      inspection.fact("manifest", "none: the official trainer writes none");
      return;
    }
    Manifest.Examination found = Manifest.examine(directory);
    Optional<Manifest> manifest = found.manifest();
    if (manifest.isEmpty()) {
      inspection.problem(
          "Cannot use the checkpoint " + directory.location() + ": " + found.problem());
      return;
    }
    inspection.fact("world_size", manifest.get().worldSize());
    inspection.fact("checksum", manifest.get().checksum());
    if (!whole) {
      return;
    }
    for (Manifest.Entry entry : manifest.get().files()) {
      try {
        manifest
            .get()
            .check(
                directory.location(),
                entry.name(),
                Digests.hex(directory.reader(), entry.name(), inspector.progress()));
      } catch (TunerException e) {
        inspection.problem(e);
      }
    }
    inspection.fact("manifest", "all files read and compared with their SHA-256");
  }
}
