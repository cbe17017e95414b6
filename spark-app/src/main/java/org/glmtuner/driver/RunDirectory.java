package org.glmtuner.driver;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.glmtuner.checkpoint.Checkpoints;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.RandomNames;

/** The directory of one run: who it belongs to, and what is in it so far. */
final class RunDirectory {
  private static final String IDENTITY = "run.json";
  private static final String CONFIGURATION = "run.conf";
  private static final Gson GSON = new GsonBuilder().setPrettyPrinting().create();

  /**
   * {@code run.json}: what the run was started with. A later attempt must agree with all of it.
   *
   * @param configuration the deciding keys with their values
   * @param fingerprints of base, tokenizer and data
   * @param attempts started so far
   * @param driver a random name of the driver that started the last one
   */
  record Identity(
      Map<String, String> configuration,
      Map<String, String> fingerprints,
      int attempts,
      String driver) {}

  private final Directory directory;
  private final String driver = RandomNames.next();

  RunDirectory(Directory directory) {
    this.directory = directory;
  }

  Directory directory() {
    return directory;
  }

  /** The result of the last attempt, if one has ended. */
  Optional<TrainingResult> result() throws IOException {
    try {
      return directory.readText(TrainingResult.FILE).map(TrainingResult::fromJson);
    } catch (JsonParseException e) {
      throw TunerException.damaged(
          "Cannot read "
              + directory.location()
              + "/"
              + TrainingResult.FILE
              + ": "
              + e.getMessage());
    }
  }

  void store(TrainingResult result) throws IOException {
    directory.writeText(TrainingResult.FILE, result.toJson() + "\n");
  }

  /**
   * Makes the directory this run's, or checks that it is.
   *
   * @return the number of the attempt that starts now, from 1 on
   * @throws TunerException (exit code 2) where it holds something else or was started with other
   *     values
   */
  int claim(TunerConfig config) throws IOException {
    Optional<Identity> stored = identity();
    if (stored.isPresent()
        && !hasBegun()) { // it ended before anything was computed: mend and go on
      stored =
          Optional.of(new Identity(Map.of(), new TreeMap<>(), stored.get().attempts(), driver));
    } else if (stored.isPresent()) {
      checkSame("configuration key", stored.get().configuration(), config.effective().identity());
    } else {
      List<String> names =
          directory.children().stream().filter(name -> !name.startsWith(".")).toList();
      if (!names.isEmpty()) {
        throw TunerException.invalid(
            "Invalid run.directory: "
                + directory.location()
                + " (it holds "
                + names.get(0)
                + " but no "
                + IDENTITY
                + ", so it is not the directory of a run)");
      }
      directory.create();
    }
    int attempt = 1 + stored.map(Identity::attempts).orElse(0);
    Map<String, String> fingerprints = stored.map(Identity::fingerprints).orElse(new TreeMap<>());
    store(new Identity(config.effective().identity(), fingerprints, attempt, driver));
    directory.writeText(CONFIGURATION, config.effective().rendered());
    return attempt;
  }

  /**
   * Checks that no other driver has claimed the directory since.
   *
   * @throws TunerException (exit code 2) where one has
   */
  void checkHeld() throws IOException {
    if (!identity().map(Identity::driver).equals(Optional.of(driver))) {
      throw TunerException.invalid(
          "Cannot go on: another driver has taken over run.directory " + directory.location());
    }
  }

  private boolean hasBegun() throws IOException {
    return SampleStore.isComplete(directory)
        || directory.children().stream().anyMatch(Checkpoints::isName);
  }

  /** Notes the fingerprints of what the run uses, or checks that they are still the same. */
  void checkFingerprints(Map<String, String> fingerprints) throws IOException {
    Identity identity = identity().orElseThrow();
    Map<String, String> all = new TreeMap<>(identity.fingerprints());
    fingerprints.forEach(all::putIfAbsent);
    Map<String, String> now = new TreeMap<>(all);
    now.putAll(fingerprints);
    checkSame("fingerprint of", all, now);
    store(new Identity(identity.configuration(), all, identity.attempts(), driver));
  }

  private void store(Identity identity) throws IOException {
    directory.writeText(IDENTITY, GSON.toJson(identity) + "\n");
  }

  private Optional<Identity> identity() throws IOException {
    Optional<String> text = directory.readText(IDENTITY);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    Identity identity;
    try {
      identity = GSON.fromJson(text.get(), Identity.class);
    } catch (JsonParseException e) {
      throw unreadable(
          "it is no record of a run: " + e.getMessage().lines().findFirst().orElse(""));
    }
    if (identity == null || identity.configuration() == null || identity.fingerprints() == null) {
      throw unreadable("it has no configuration or no fingerprints, so it is not that of a run");
    }
    return Optional.of(identity);
  }

  private TunerException unreadable(String reason) {
    return TunerException.damaged("Cannot read " + directory.locate(IDENTITY) + ": " + reason);
  }

  private void checkSame(String what, Map<String, String> stored, Map<String, String> given) {
    TreeSet<String> keys = new TreeSet<>(stored.keySet());
    keys.addAll(given.keySet());
    List<String> differences =
        keys.stream()
            .filter(key -> !Objects.equals(stored.get(key), given.get(key)))
            .map(key -> what + " " + key + " was " + stored.get(key) + ", is " + given.get(key))
            .toList();
    if (!differences.isEmpty()) {
      throw TunerException.invalid(
          "Invalid run.directory: "
              + directory.location()
              + " (it belongs to another run: "
              + String.join("; ", differences)
              + ")");
    }
  }
}
