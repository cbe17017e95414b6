package org.glmtuner.checkpoint;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Directory;

/**
 * The checkpoints of a run directory: {@code checkpoint-<step>/}, each with a manifest, {@code
 * latest}, which names the newest, and {@code best}, which names that with the least loss on the
 * validation rows.
 */
public final class Checkpoints {
  private static final Pattern NAME = Pattern.compile("checkpoint-(\\d+)");
  private static final Pattern TEMPORARY = Pattern.compile("\\.checkpoint-\\d+\\..*\\.tmp");
  private static final String LATEST = "latest";
  private static final String BEST = "best";

  private final Directory run;

  public Checkpoints(Directory run) {
    this.run = run;
  }

  /** The name of a step's directory. */
  public static String name(long step) {
    return "checkpoint-" + step;
  }

  /** Whether a directory is named as a checkpoint is, complete or not. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /** A complete checkpoint. */
  public record Published(String name, Manifest manifest) {}

  /**
   * What is there.
   *
   * @param complete oldest first
   * @param problems of directories that are named as checkpoints are and are none
   */
  public record Listing(List<Published> complete, List<String> problems) {
    public Optional<Published> newest() {
      return complete.isEmpty() ? Optional.empty() : Optional.of(complete.get(complete.size() - 1));
    }

    /** The one with the least loss on the validation rows, the older one of equals. */
    public Optional<Published> best() {
      return complete.stream()
          .filter(published -> published.manifest().evalLoss() != null)
          .filter(published -> !Double.isNaN(published.manifest().evalLoss()))
          .min(Comparator.comparingDouble(published -> published.manifest().evalLoss()));
    }
  }

  public Listing list() throws IOException {
    List<Published> complete = new ArrayList<>();
    List<String> problems = new ArrayList<>();
    for (String name : run.children()) {
      if (isName(name)) {
        Manifest.Examination found = Manifest.examine(run.child(name));
        found.manifest().ifPresent(manifest -> complete.add(new Published(name, manifest)));
        if (found.manifest().isEmpty()) {
          problems.add(name + " is no complete checkpoint: " + found.problem());
        }
      }
    }
    complete.sort(Comparator.comparingLong(published -> published.manifest().step()));
    return new Listing(complete, problems);
  }

  /**
   * Makes the files that were gathered in {@code temporary} the checkpoint of their step, in one
   * rename, and lets the oldest go.
   *
   * @param keep newest that stay, besides the best; 0 for all
   * @throws TunerException (exit code 6) where a gathered file is not as long as it was said to be
   */
  public void publish(String temporary, Manifest manifest, int keep) throws IOException {
    Directory gathered = run.child(temporary);
    for (Manifest.Entry file : manifest.files()) {
      long bytes = gathered.size(file.name());
      if (bytes != file.bytes()) {
        throw TunerException.damaged(
            "Cannot publish the checkpoint of step "
                + manifest.step()
                + ": "
                + gathered.location()
                + "/"
                + file.name()
                + " has "
                + bytes
                + " bytes, "
                + file.bytes()
                + " were written");
      }
    }
    manifest.store(gathered);
    String name = name(manifest.step());
    if (run.hasChild(name)) {
      if (Manifest.read(run.child(name)).isPresent()) {
        run.delete(temporary); // an attempt before this one had published it already
        return;
      }
      run.delete(name);
    }
    run.rename(temporary, name);
    run.writeText(LATEST, name + "\n");
    Listing all = list();
    String best = all.best().map(Published::name).orElse("");
    if (!best.isEmpty()) {
      run.writeText(BEST, best + "\n");
    }
    for (int i = 0; keep > 0 && i < all.complete().size() - keep; i++) {
      String old = all.complete().get(i).name();
      if (!old.equals(best)) {
        run.delete(old);
      }
    }
  }

  /** Removes what attempts that are over have gathered and not published. */
  public void removeTemporary() throws IOException {
    for (String name : run.children()) {
      if (TEMPORARY.matcher(name).matches()) {
        run.delete(name);
      }
    }
  }
}
