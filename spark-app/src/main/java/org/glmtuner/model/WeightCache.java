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
import org.glmtuner.storage.HostLock;

/**
 * The weight files of this host: one per model and precision, made once, shared by all processes.
 */
public final class WeightCache {
  private static final int NAME_DIGITS = 16;

  private WeightCache() {}

  /**
   * Returns the weight file for these weights, making it if it is not there or not usable. Of
   * several processes and threads that ask for the same file one makes it and the others wait.
   *
   * @param cacheDirectory on a local disk of this host; created if need be
   * @return {@code weights/<16 digits of the fingerprint>-<precision>.safetensors} in it
   * @throws org.glmtuner.failure.TunerException as {@link WeightFile#convert} and, where the file
   *     has to be made, {@link OfficialWeights#release}
   */
  public static Path provide(
      OfficialWeights source, Precision precision, Path cacheDirectory, ProgressListener listener)
      throws IOException, InterruptedException {
    Map<String, String> metadata = WeightFile.metadata(source, precision);
    List<TensorSpec> tensors = WeightFile.tensors(source.config(), precision);
    return provide(
        source.fingerprint().substring(0, NAME_DIGITS) + "-" + precision.label(),
        cacheDirectory,
        file -> WeightFile.problem(file, metadata, tensors),
        file -> {
          source.release(
              listener::read); // refuses a mixture, which would compute something all the same
          WeightFile.convert(source, precision, file, listener);
        },
        listener);
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
    Path file = cacheDirectory.resolve("weights").resolve(name + ".safetensors");
    if (Files.exists(file) && judge.problem(file).isEmpty()) {
      return file; // complete files appear under this name only, so there is no need to lock
    }
    Path lockFile = file.resolveSibling(name + ".lock");
    try (HostLock lock = HostLock.acquire(lockFile, () -> listener.waiting(file))) {
      if (Files.exists(file)) {
        Optional<String> problem = judge.problem(file);
        if (problem.isEmpty()) {
          return file;
        }
        listener.replacing(file, problem.get());
      }
      removeUnfinished(file);
      maker.make(file);
      return file;
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
