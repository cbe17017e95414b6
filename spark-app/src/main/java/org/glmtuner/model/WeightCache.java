package org.glmtuner.model;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.DiskSpace;
import org.glmtuner.storage.HostLock;
import org.glmtuner.storage.PrivateDirectory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The weight files of this host: one per model and precision, made once, shared by all processes.
 */
public final class WeightCache {
  private static final String DIRECTORY = "weights";
  private static final int NAME_DIGITS = 16;

  private static final Logger LOG = LoggerFactory.getLogger(WeightCache.class);

  private WeightCache() {}

  /**
   * Returns the weight file for these weights, making it if it is not there or not usable. Of
   * several processes and threads that ask for the same file one makes it and the others wait.
   *
   * @param cacheDirectory on a local disk of this host; created if need be
   * @return {@code weights/<16 digits of the fingerprint>-<precision>.safetensors} in it, with its
   *     checksums beside it
   * @throws TunerException as {@link WeightFile#convert} and, where the file has to be made, {@link
   *     OfficialWeights#release} and {@link PrivateDirectory#provideIn}
   */
  public static Path provide(
      OfficialWeights source, Precision precision, Path cacheDirectory, ProgressListener listener)
      throws IOException, InterruptedException {
    return provide(
        name(source, precision),
        cacheDirectory,
        judge(source, precision),
        file -> {
          DiskSpace.require(file, room(source, precision));
          source.release(
              listener::read); // refuses a mixture, which would compute something all the same
          WeightFile.convert(source, precision, file, listener);
        },
        listener);
  }

  /**
   * Whether {@link #provide} will not lack room, so that it can be said before anything is started.
   *
   * @throws TunerException (exit code 3) with the numbers if it would
   */
  public static void requireRoom(OfficialWeights source, Precision precision, Path cacheDirectory)
      throws IOException {
    Path file = path(name(source, precision), cacheDirectory);
    if (!isGood(file, judge(source, precision))) {
      long there = Files.exists(file) ? Files.size(file) : 0;
      DiskSpace.require(file, room(source, precision) - there);
    }
  }

  /** What the file and its checksums need of a disk. */
  private static long room(OfficialWeights source, Precision precision) throws IOException {
    return WeightSums.roomWith(
        WeightFile.layout(
                WeightFile.tensors(source.config(), precision),
                WeightFile.metadata(source, precision))
            .fileBytes());
  }

  /**
   * Whether there is a file of these weights, good or not.
   *
   * @param fingerprint of the weights
   */
  public static boolean holds(String fingerprint, Precision precision, Path cacheDirectory) {
    return Files.exists(path(name(fingerprint, precision), cacheDirectory));
  }

  private static String name(OfficialWeights source, Precision precision) throws IOException {
    return name(source.fingerprint(), precision);
  }

  private static String name(String fingerprint, Precision precision) {
    return fingerprint.substring(0, NAME_DIGITS) + "-" + precision.label();
  }

  private static Judge judge(OfficialWeights source, Precision precision) throws IOException {
    Map<String, String> metadata = WeightFile.metadata(source, precision);
    List<TensorSpec> tensors = WeightFile.tensors(source.config(), precision);
    return file -> WeightFile.problem(file, metadata, tensors);
  }

  /** Why a file cannot serve, or nothing if it can. */
  interface Judge {
    Optional<String> problem(Path file) throws IOException;
  }

  /** Makes a file, which appears when it is complete. */
  interface Maker {
    void make(Path file) throws IOException;
  }

  /** The file of that name, made if need be by one of those who ask for it. */
  @SuppressWarnings("try") // the lock is held, not used
  static Path provide(
      String name, Path cacheDirectory, Judge judge, Maker maker, ProgressListener listener)
      throws IOException, InterruptedException {
    Path file = path(name, cacheDirectory);
    if (isGood(file, judge)) {
      return file; // complete files appear under this name only, so there is no need to lock
    }
    Path lockFile = PrivateDirectory.provideIn(cacheDirectory, DIRECTORY).resolve(name + ".lock");
    try (HostLock lock = HostLock.acquire(lockFile, () -> listener.waiting(file))) {
      if (Files.exists(file)) {
        Optional<String> problem = problem(file, judge);
        if (problem.isEmpty()) {
          return file;
        }
        listener.replacing(file, problem.get());
        Files.delete(file); // its room is needed; who has mapped it keeps it
      }
      removeUnfinished(file);
      maker.make(file);
      WeightSums.make(file);
      return file;
    }
  }

  private static Path path(String name, Path cacheDirectory) {
    return cacheDirectory.resolve(DIRECTORY).resolve(name + ".safetensors");
  }

  /** Whether a file can serve, as far as can be said at once. */
  private static boolean isGood(Path file, Judge judge) throws IOException {
    if (!Files.exists(file) || judge.problem(file).isPresent()) {
      return false;
    }
    Optional<WeightSums> sums = WeightSums.read(file);
    return sums.isPresent()
        && sums.get().isUntouched(file)
        && sums.get().problemOfSamples(file).isEmpty();
  }

  /** Why a file cannot serve; reads it to its end where somebody has written to it. */
  private static Optional<String> problem(Path file, Judge judge) throws IOException {
    Optional<String> problem = judge.problem(file);
    if (problem.isPresent()) {
      return problem;
    }
    Optional<WeightSums> sums = WeightSums.read(file);
    if (sums.isEmpty()) {
      return Optional.of("it has no checksums");
    }
    if (sums.get().isUntouched(file)) {
      return sums.get().problemOfSamples(file);
    }
    Optional<String> damage = sums.get().problemOfAll(file);
    if (damage.isEmpty()) {
      remember(sums.get(), file);
    }
    return damage;
  }

  /** A good file serves whether or not that can be written down. */
  private static void remember(WeightSums sums, Path file) {
    try {
      sums.renew(file);
    } catch (IOException | TunerException e) {
      LOG.warn(
          "Cannot note that {} is as it was made, so the next start reads all of it again: {}",
          file,
          e.getMessage());
    }
  }

  /** A killed process leaves its unfinished file behind; nobody else writes while we lock. */
  private static void removeUnfinished(Path file) throws IOException {
    try (DirectoryStream<Path> unfinished =
        Files.newDirectoryStream(file.getParent(), WeightFile.temporaryPrefix(file) + "*.tmp")) {
      for (Path path : unfinished) {
        Files.deleteIfExists(path);
      }
    }
  }
}
